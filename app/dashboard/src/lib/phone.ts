import { ref, shallowRef } from "vue";
import { api, Problem } from "./api";

/** The telephone in this page: talks to the agent, or takes a live call over. WebRTC to our own service. */
type State = "idle" | "connecting" | "talking" | "failed";

const state = ref<State>("idle");
const began = ref(0);
const muted = ref(false);
const listening = ref<string | null>(null);
const taken = ref<string | null>(null);
const callSid = ref<string | null>(null);
const problem = shallowRef<Problem | null>(null);

let peer: RTCPeerConnection | null = null;
let keys: RTCDataChannel | null = null;
let microphone: MediaStream | null = null;
let sound: HTMLAudioElement | null = null;
let ear: { socket: WebSocket; context: AudioContext } | null = null;

interface Answer { sdp: string; type: RTCSdpType; call_sid: string }

async function connect(body: { playbook?: string; call_sid?: string }): Promise<void> {
  if (peer) hangUp();
  state.value = "connecting";
  problem.value = null;
  try {
    microphone = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true } });
    const made = (peer = new RTCPeerConnection());
    keys = made.createDataChannel("keys");
    for (const track of microphone.getTracks()) made.addTrack(track, microphone);
    made.ontrack = (event) => {
      sound ??= new Audio();
      sound.srcObject = event.streams[0] ?? new MediaStream([event.track]);
      void sound.play();
    };
    made.onconnectionstatechange = () => {
      if (made !== peer) return;
      if (made.connectionState === "connected") {
        state.value = "talking";
        began.value = Date.now();
      } else if (["failed", "closed", "disconnected"].includes(made.connectionState)) hangUp();
    };
    await made.setLocalDescription(await made.createOffer());
    await gathered(made);
    const answer = await api.post<Answer>("/phone/offer", { sdp: made.localDescription?.sdp, type: "offer", ...body });
    callSid.value = answer.call_sid;
    await made.setRemoteDescription({ sdp: answer.sdp, type: answer.type });
  } catch (error) {
    hangUp();
    state.value = "failed";
    problem.value = error instanceof Problem ? error : new Problem(0, "microphone", error instanceof Error ? error.message : String(error));
    throw problem.value;
  }
}

function gathered(made: RTCPeerConnection): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (made.iceGatheringState === "complete") resolve();
    };
    made.addEventListener("icegatheringstatechange", look);
    setTimeout(resolve, 2000);
    look();
  });
}

function hangUp(): void {
  const old = peer;
  peer = null;
  keys = null;
  old?.close();
  microphone?.getTracks().forEach((track) => track.stop());
  microphone = null;
  if (sound) sound.srcObject = null;
  state.value = "idle";
  callSid.value = taken.value = null;
  muted.value = false;
}

function press(digit: string): void {
  if (keys?.readyState === "open") keys.send(digit);
}

function mute(): void {
  muted.value = !muted.value;
  microphone?.getAudioTracks().forEach((track) => (track.enabled = !muted.value));
}

async function takeOver(sid: string): Promise<void> {
  await connect({ call_sid: sid });
  try {
    await api.post(`/calls/${sid}/takeover`);
  } catch (error) {
    hangUp(); // nobody is to speak into a call that the agent still holds
    throw error;
  }
  taken.value = sid;
}

async function handBack(sid: string): Promise<void> {
  await api.post(`/calls/${sid}/handback`);
  hangUp();
}

/** Both sides of a call as 16-bit sound, 8000 a second, played as it comes. A second time stops it. */
async function listen(sid: string): Promise<void> {
  const same = listening.value === sid;
  ear?.socket.close();
  void ear?.context.close();
  ear = null;
  listening.value = null;
  if (same) return;
  const { ticket } = await api.post<{ ticket: string }>("/tickets", { purpose: "listen", call_sid: sid });
  const context = new AudioContext();
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}/api/v1/calls/${sid}/listen?ticket=${encodeURIComponent(ticket)}`);
  socket.binaryType = "arraybuffer";
  let due = 0;
  socket.onmessage = (event) => {
    if (!(event.data instanceof ArrayBuffer) || event.data.byteLength < 2) return;
    const samples = new Int16Array(event.data, 0, Math.floor(event.data.byteLength / 2));
    const piece = context.createBuffer(1, samples.length, 8000);
    piece.getChannelData(0).set(Float32Array.from(samples, (sample) => sample / 32768));
    const source = context.createBufferSource();
    source.buffer = piece;
    source.connect(context.destination);
    due = Math.max(due, context.currentTime + 0.08);
    source.start(due);
    due += piece.duration;
  };
  socket.onclose = () => {
    if (listening.value === sid) listening.value = null;
  };
  ear = { socket, context };
  listening.value = sid;
}

export const phone = { state, began, muted, listening, taken, callSid, problem, call: (playbook?: string) => connect({ playbook }), hangUp, press, mute, takeOver, handBack, listen };
