// A page as an application would write it for Twilio's Voice SDK, and a measuring instrument for the tests.

const RAW = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const place = new URLSearchParams(location.search);
const show = (id, text) => { document.getElementById(id).textContent = text; };
const on = (id, act) => document.getElementById(id).addEventListener("click", act);
const told = [];
const heard = { hertz: 0, level: -100 };
let call = null;

function tell(event) {
  told.push(event);
  show("events", told.join(" "));
}

const device = new Twilio.Device(place.get("token"), { closeProtection: false });
Object.assign(window, { device, told, heard });
for (const event of ["registering", "registered", "unregistered", "destroyed", "tokenWillExpire"]) {
  device.on(event, () => {
    tell(event);
    show("state", device.state);
  });
}
device.on("error", (error) => tell(`error:${error.code}`));
device.on("incoming", (incoming) => {
  follow(incoming);
  tell("incoming");
});

function follow(next) {
  call = next;
  window.call = call;
  show("call", call.status());
  for (const event of ["accept", "disconnect", "cancel", "reject", "mute", "ringing", "reconnecting", "reconnected"]) {
    call.on(event, () => {
      tell(event);
      show("call", call.status());
    });
  }
  call.on("error", (error) => tell(`call-error:${error.code}`));
  call.on("accept", measure);
  call.on("warning", (name) => tell(`warning:${name}`));
}

/** The loudest frequency of what the call's other side says, twenty times a second. */
function measure() {
  const context = Twilio.Device.audioContext;
  const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
  new MediaStreamAudioSourceNode(context, { mediaStream: call.getRemoteStream() }).connect(analyser);
  const spectrum = new Float32Array(analyser.frequencyBinCount);
  setInterval(() => {
    analyser.getFloatFrequencyData(spectrum);
    const loudest = spectrum.indexOf(Math.max(...spectrum));
    heard.hertz = Math.round((loudest * context.sampleRate) / analyser.fftSize);
    heard.level = Math.round(spectrum[loudest]);
    show("heard", `${heard.hertz} Hz at ${heard.level} dB`);
  }, 50);
}

on("register", () => device.register().catch(() => tell("register-refused")));
on("accept", () => call.accept({ rtcConstraints: { audio: RAW } }));
on("reject", () => call.reject());
on("ignore", () => call.ignore());
on("mute", () => call.mute(!call.isMuted()));
on("hang-up", () => call.disconnect());
on("dial", async () => {
  const params = { To: "+31209999999", matter: "17" };
  follow(await device.connect({ params, rtcConstraints: { audio: RAW } }));
});
