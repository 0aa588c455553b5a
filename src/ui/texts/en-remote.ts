// English, about servers: connecting one, choosing its models, and what goes wrong on the way.
import type { RemoteErrorCode } from "#remote/errors.ts";

export const remoteErrors: Record<RemoteErrorCode, string> = {
  "server-address":
    "This is not an address of a server. Type one such as “localhost:8000” or “https://gpu.example/v1”.",
  "server-insecure":
    "Plain HTTP reaches servers on this machine only. Give the server HTTPS, or bring it here with “ssh -L 8000:localhost:8000 name-of-the-machine” and connect “localhost:8000”.",
  "server-permission":
    "The browser does not let this page reach your local network. Allow “Local network access” for it in the site settings beside the address bar, then try again.",
  "server-unreachable":
    "There is no answer from the server. Check that it runs and that the address is right; if it does, it may not allow this page (CORS), or turn away a wrong key without a word.",
  "server-cors":
    "The server is there, but does not allow this page. Set its CORS option to this page's address and start it again.",
  "server-key": "The server wants another key. Connect it again with a valid one.",
  "server-not-found":
    "Nothing at this address speaks the OpenAI protocol. Check the address; it usually ends with “/v1”.",
  "server-empty": "The server has no models yet. Load one there, then connect it again.",
  "server-model-gone": "The server no longer has this model. Choose another one from the list of models.",
  "server-context":
    "This conversation no longer fits into the memory of the server's model. Start a new chat, or give the server a longer context.",
  "server-no-pictures":
    "The server's model takes no pictures. Choose one that does, such as LLaVA; llama.cpp also needs its “--mmproj” file.",
  "server-rejected": "The server did not accept the question. What it said stands below; change that, then try again.",
  "server-busy": "The server has too much to do, or your allowance is used up. Wait a moment, then try again.",
  "server-failed": "The server ran into an error of its own. Look at its log, then try again.",
  "server-broken-stream": "The answer broke off on its way. Check the connection and the server, then try again.",
  "server-wrong-answer":
    "What came back is not an answer in the OpenAI protocol. Check the address; it usually ends with “/v1”.",
};

export const remote = {
  device: "Server",
  /** The host stands in the sentence, because that is where it goes. */
  leaves: (host: string) => `This leaves your device: words and pictures are sent to ${host}.`,
  answeredBy: (model: string, host: string) => `${model} on ${host}`,
  lead: (model: string, host: string) => `${model} looks at it and answers on ${host}.`,
  chooseModel: "Choose a model",
  models: "Models",
  onThisDevice: "On this device",
  sentTo: (host: string) => `leaves this device: sent to ${host}`,
  connect: "Connect a server",
  connectTitle: "Connect a server",
  connectLead:
    "Models bigger than this machine: any server that speaks the OpenAI protocol, such as vLLM, SGLang, llama.cpp or Ollama. What you ask its models is sent there, with the pictures.",
  address: "Address",
  addressHint: "Such as localhost:8000 or https://gpu.example/v1",
  name: "Name",
  nameHint: "If you like; otherwise it is called by its address.",
  key: "Key",
  keyHint: "If it needs one. It is kept in this browser, sent to this server only, and never exported.",
  connectButton: "Connect",
  connecting: "Connecting…",
  remove: (name: string) => `Forget ${name}`,
  said: (words: string) => `It said: ${words}`,
  corsTitle: "How each server lets this page in",
  cors: (origin: string): readonly (readonly [server: string, setting: string])[] => [
    ["vLLM", `--allowed-origins '["${origin}"]'`],
    ["SGLang", `any page may ask; nothing to set`],
    ["llama.cpp", `any page may ask; nothing to set`],
    ["Ollama", `OLLAMA_ORIGINS=${origin}`],
    ["LM Studio", `Developer → Server settings → Enable CORS`],
  ],
  mixedContent:
    "A page that came by HTTPS can't reach plain HTTP on another machine. For a server on this machine, the browser may ask whether the page may use your local network: allow it.",
};
