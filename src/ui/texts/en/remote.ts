// English, about servers: connecting one, choosing its models, and what goes wrong on the way.
import { isOnThisMachine } from "#chat/servers/this-machine.ts";
import type { RemoteErrorCode } from "#remote/http/errors.ts";

export const remoteErrors: Record<RemoteErrorCode, string> = {
  "server-address": "This isn't a server address. Enter one such as “localhost:8000” or “https://gpu.example/v1”.",
  "server-insecure":
    "Plain HTTP works only for servers on this device. Set up HTTPS on the server, or forward it with “ssh -L 8000:localhost:8000 hostname” and connect to “localhost:8000”.",
  "server-permission":
    "The browser doesn't let this page reach your local network. Allow “Local network access” in the site settings next to the address bar, then try again.",
  "server-unreachable":
    "The server doesn't respond. Check that it is running and that the address is right. If so, it may not allow this page (CORS), or it may silently reject a wrong key.",
  "server-cors":
    "The server is running but doesn't allow this page. Set its CORS option to this page's address and restart it.",
  "server-redirect":
    "The server redirects this page to another address, and this page never follows redirects. Connect to the server's real address.",
  "server-silent":
    "The server hasn't sent anything for too long. Check its log: it may still be loading the model, or it may be stuck. Then try again.",
  "server-key-characters":
    "The key holds a character that no key has. Copy it again from where you got it, without quotation marks or spaces.",
  "server-key": "The server rejected the key. Connect again with a valid one.",
  "server-not-found":
    "There is no OpenAI-compatible model list at this address. Check the address; it usually ends with “/v1”.",
  "server-empty": "The server lists no models. Load one there, then try again.",
  "server-model-gone": "The server no longer has this model. Choose another one from the model list.",
  "server-context":
    "This conversation is longer than the context of the server's model. Start a new chat, or configure a longer context on the server.",
  "server-no-pictures":
    "This model on the server doesn't accept pictures. Choose one that does, such as LLaVA; llama.cpp also needs its “--mmproj” file.",
  "server-rejected": "The server rejected the request; its message is below. Fix that, then try again.",
  "server-filtered":
    "A filter on the server blocked this answer or the rest of it. Rephrase the question or use another picture.",
  "server-tools": "The model tried to call a tool, and this page has none. Ask again, or choose another model.",
  "server-busy": "The server is overloaded, or your quota is used up. Wait a moment, then try again.",
  "server-failed": "The server had an internal error. Check its log, then try again.",
  "server-broken-stream": "The answer was cut off. Check the connection and the server, then try again.",
  "server-wrong-answer":
    "The response doesn't follow the OpenAI protocol. Check the address; it usually ends with “/v1”.",
};

export const remote = {
  device: "Server",
  /** The host stands in the sentence, because that is where it goes. */
  leaves: (host: string) =>
    isOnThisMachine(host)
      ? `This stays on your device: the program at ${host} handles words and pictures, unless that address is a tunnel to another machine.`
      : `This leaves your device: words and pictures are sent to ${host}.`,
  answeredBy: (model: string, host: string) => `${model} on ${host}`,
  lead: (model: string, host: string) => `${model} looks at it and answers on ${host}.`,
  chooseModel: "Choose a model",
  models: "Models",
  onThisDevice: "On this device",
  sentTo: (host: string) =>
    isOnThisMachine(host)
      ? `stays on this device: handled by the program at ${host}, unless that is a tunnel`
      : `leaves this device: sent to ${host}`,
  silent: (seconds: number) => `The server has been silent for ${seconds} s.`,
  endedWith: (word: string) => `The server ended this answer for its own reason: “${word}”.`,
  endedSilently: "The connection closed before the server said that the answer is complete.",
  servers: "Servers",
  noServers: "For models too big for this device.",
  modelCount: (count: number) => (count === 1 ? "1 model" : `${count} models`),
  removeShort: "Remove",
  connect: "Connect a server",
  connectTitle: "Connect a server",
  connectLead:
    "For models too big for this device: any server that speaks the OpenAI protocol, such as vLLM, SGLang, llama.cpp, or Ollama. Your questions and pictures are sent to it.",
  address: "Address",
  addressHint: "For example, localhost:8000 or https://gpu.example/v1",
  name: "Name",
  nameHint: "Optional. Defaults to the address.",
  key: "API key",
  keyHint: "Optional. Kept in this browser, sent only to this server, and never exported.",
  connectButton: "Connect",
  connecting: "Connecting…",
  modelName: "Model name",
  modelNameHint: "If the address is right: what the server calls the model.",
  keyCharacter: (character: string) => `It is this one: ${character}`,
  remove: (name: string) => `Remove ${name}`,
  said: (words: string) => `Server message: ${words}`,
  corsTitle: "Allow this page (CORS)",
  cors: (origin: string): readonly (readonly [server: string, setting: string])[] => [
    ["vLLM", `--allowed-origins '["${origin}"]'`],
    ["SGLang", "allows any page; nothing to set"],
    ["llama.cpp", "allows any page; nothing to set"],
    ["Ollama", `OLLAMA_ORIGINS=${origin}`],
    ["LM Studio", `Developer → Server settings → Enable CORS`],
  ],
  mixedContent:
    "A page loaded over HTTPS can't reach plain HTTP on another machine. For a server on this device, the browser may ask whether to allow local network access: allow it.",
};
