// 关于服务器的中文文本。Chinese, about servers.
import type { RemoteErrorCode } from "#remote/errors.ts";
import type { Texts } from "./en.ts";

export const remoteErrors: Record<RemoteErrorCode, string> = {
  "server-address": "这不是服务器地址。请输入例如“localhost:8000”或“https://gpu.example/v1”的地址。",
  "server-insecure":
    "普通 HTTP 只能连接本机上的服务器。请为服务器启用 HTTPS，或用“ssh -L 8000:localhost:8000 主机名”转发到本机，再连接“localhost:8000”。",
  "server-permission": "浏览器不允许本页访问你的本地网络。请在地址栏旁的网站设置中允许“本地网络访问”，然后重试。",
  "server-unreachable":
    "服务器没有响应。请确认它正在运行且地址正确；如果没有问题，它可能不允许本页访问（CORS），或因密钥错误而直接拒绝。",
  "server-cors": "服务器正在运行，但不允许本页访问。请把它的 CORS 选项设为本页地址，然后重启服务器。",
  "server-key": "服务器拒绝了密钥。请用有效的密钥重新连接。",
  "server-not-found": "这个地址上没有支持 OpenAI 协议的服务。请检查地址，它通常以“/v1”结尾。",
  "server-empty": "服务器上还没有模型。请先在服务器上加载模型，然后重新连接。",
  "server-model-gone": "服务器上已没有这个模型。请从模型列表中另选一个。",
  "server-context": "对话已超出服务器模型的上下文。请开始新对话，或在服务器上配置更长的上下文。",
  "server-no-pictures": "服务器上的这个模型不能看图。请选择能看图的模型（如 LLaVA）；llama.cpp 还需要“--mmproj”文件。",
  "server-rejected": "服务器拒绝了请求，原因见下方。请据此修改后重试。",
  "server-busy": "服务器太忙，或你的额度已用完。请稍等片刻再试。",
  "server-failed": "服务器内部出错。请查看它的日志，然后重试。",
  "server-broken-stream": "回答中途断开。请检查网络和服务器，然后重试。",
  "server-wrong-answer": "收到的响应不符合 OpenAI 协议。请检查地址，它通常以“/v1”结尾。",
};

export const remote: Texts["remote"] = {
  device: "服务器",
  leaves: (host) => `内容会离开本机：文字和图片将发送到 ${host}。`,
  answeredBy: (model, host) => `${model}（${host}）`,
  lead: (model, host) => `${model} 会看图，并在 ${host} 上回答。`,
  chooseModel: "选择模型",
  models: "模型",
  onThisDevice: "本机",
  sentTo: (host) => `内容会离开本机，发送到 ${host}`,
  servers: "服务器",
  noServers: "用于本机跑不动的大模型。",
  modelCount: (count) => `${count} 个模型`,
  removeShort: "移除",
  connect: "连接服务器",
  connectTitle: "连接服务器",
  connectLead:
    "用于本机跑不动的大模型：支持 OpenAI 协议的服务器均可，如 vLLM、SGLang、llama.cpp 或 Ollama。你的问题和图片会发送到该服务器。",
  address: "地址",
  addressHint: "例如 localhost:8000 或 https://gpu.example/v1",
  name: "名称",
  nameHint: "可选，默认使用地址。",
  key: "API 密钥",
  keyHint: "可选。只保存在此浏览器中，只发送给该服务器，绝不导出。",
  connectButton: "连接",
  connecting: "正在连接……",
  remove: (name) => `移除 ${name}`,
  said: (words) => `服务器消息：${words}`,
  corsTitle: "允许本页访问（CORS）",
  cors: (origin) => [
    ["vLLM", `--allowed-origins '["${origin}"]'`],
    ["SGLang", "允许任何网页，无需设置"],
    ["llama.cpp", "允许任何网页，无需设置"],
    ["Ollama", `OLLAMA_ORIGINS=${origin}`],
    ["LM Studio", "Developer → Server settings → Enable CORS"],
  ],
  mixedContent:
    "通过 HTTPS 打开的网页无法访问其他设备上的普通 HTTP 服务。连接本机上的服务器时，浏览器可能询问是否允许访问本地网络，请选择允许。",
};
