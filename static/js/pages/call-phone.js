// The phone in this page for a supervisor: made when it is asked for, gone when they have left the call.

import { post } from "../control.js";
import { one } from "../dom.js";
import { gettext } from "../i18n.js";
import { permission } from "../phone-devices.js";
import { Softphone } from "../softphone.js";
import { BLOCKED, NO_MICROPHONE, phoneError } from "./desk-words.js";

const READY_MS = 15_000;

/** A token for this person's phone; rejects with {code, text}. */
async function token() {
  let answer;
  try {
    answer = await post(one("#control").dataset.token, {});
  } catch {
    throw { code: "offline", text: gettext("There is no connection to the server. Nothing was done.") };
  }
  const body = await answer.json().catch(() => null);
  if (answer.ok && body) return body;
  throw { code: body?.error?.code ?? String(answer.status), text: body?.error?.text ?? gettext("This page is out of date. Reload it and try again.") };
}

export class CallPhone extends Softphone {
  constructor() {
    super({ ask: token, sounds: one("#control").dataset.sounds });
    this.addEventListener("incoming", () => this.refuseOthers());
    addEventListener("pagehide", () => this.stop());
  }

  /** Make it ready to ring. Rejects with {code, text}: a sentence for people, and the code where Twilio gave one. */
  async prepare() {
    await allowed();
    if (this.ready) return;
    if (this.state !== "starting") this.start();
    await this.becomesReady();
  }

  becomesReady() {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (this.ready) end(resolve);
        else if (this.state === "failed") end(() => reject(troubleOf(this.trouble)));
      };
      const end = (done) => {
        clearTimeout(timer);
        this.removeEventListener("change", look);
        done();
      };
      const timer = setTimeout(() => end(() => reject(troubleOf({ code: 31003 }))), READY_MS);
      this.addEventListener("change", look);
      look();
    });
  }

  /** Only the ring that follows one's own asking is taken up; any other is left to whoever it is for. */
  refuseOthers() {
    if (!this.expects) this.reject();
  }
}

/** {code, text} of the phone's trouble, in words. */
export const troubleOf = (trouble) => ({ code: Number(trouble?.code) ? trouble.code : "", text: phoneError(trouble ?? {}) });

/** The microphone may be used; asked for now where it was not asked before, so that no ring waits for it. */
async function allowed() {
  const state = await permission();
  if (state === "missing") throw { code: "", text: NO_MICROPHONE };
  if (state === "denied") throw { code: "", text: BLOCKED };
  if (state !== "prompt") return;
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    for (const track of stream.getTracks()) track.stop();
  } catch (error) {
    throw { code: "", text: error?.name === "NotAllowedError" ? BLOCKED : phoneError({ code: 31402 }) };
  }
}
