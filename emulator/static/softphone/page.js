// What becomes of a telephone when its page is left, reloaded, kept in the browser's cache, or comes back.

const LEAVING = "A call is currently in-progress. Leaving or reloading this page will end the call.";

export class PageLife {
  #does;

  /** `does` has protection() (a text, true or false), idle(), sleep(), wake() and end(). */
  constructor(does) {
    this.#does = does;
    window.addEventListener("beforeunload", this.#beforeUnload);
    window.addEventListener("pagehide", this.#pageHide);
    window.addEventListener("pageshow", this.#pageShow);
  }

  stop() {
    window.removeEventListener("beforeunload", this.#beforeUnload);
    window.removeEventListener("pagehide", this.#pageHide);
    window.removeEventListener("pageshow", this.#pageShow);
  }

  #beforeUnload = (event) => {
    const protection = this.#does.protection();
    if (!protection) return;
    event.preventDefault();
    event.returnValue = typeof protection === "string" ? protection : LEAVING;
  };

  /** A page that is kept to come back only falls silent; any other ends its calls. */
  #pageHide = (event) => {
    if (event.persisted && this.#does.idle()) this.#does.sleep();
    else this.#does.end();
  };

  #pageShow = (event) => {
    if (event.persisted) this.#does.wake();
  };
}
