// Where this script came from is where the emulator is: its socket and the worklet are beside it.

const script = document.currentScript ?? document.querySelector('script[src*="/emulator/softphone.js"]');
if (!script?.src) throw new Error("softphone.js must be loaded by a <script> element with its address in src");

export const WORKLET = new URL("softphone-worklet.js", script.src).href;
export const SOCKET = new URL("softphone/", script.src.replace(/^http/, "ws")).href;
