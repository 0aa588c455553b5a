// 关于服务器的中文文本。Chinese, about servers.
import { isOnThisMachine } from "#chat/servers/this-machine.ts";
import type { RemoteErrorCode } from "#remote/http/errors.ts";
import type { Texts } from "#ui/texts/en/en.ts";

export const remoteErrors: Record<RemoteErrorCode, string> = {
  "server-address": "这不是服务器地址。请输入例如“localhost:8000”或“https://gpu.example/v1”的地址。",
  "server-insecure":
    "普通 HTTP 只能连接本机上的服务器。请为服务器启用 HTTPS，或用“ssh -L 8000:localhost:8000 主机名”转发到本机，再连接“localhost:8000”。",
  "server-permission": "浏览器不允许本页访问你的本地网络。请在地址栏旁的网站设置中允许“本地网络访问”，然后重试。",
  "server-unreachable":
    "服务器没有响应。请确认它正在运行且地址正确；如果没有问题，它可能不允许本页访问（CORS），或因密钥错误而直接拒绝。",
  "server-cors": "服务器正在运行，但不允许本页访问。请把它的 CORS 选项设为本页地址，然后重启服务器。",
  "server-redirect": "服务器把本页重定向到另一个地址，而本页从不跟随重定向。请直接连接服务器的真实地址。",
  "server-silent": "服务器太久没有发来任何内容。请查看它的日志：可能还在加载模型，或已卡住。然后重试。",
  "server-key-characters": "密钥中含有密钥不会有的字符。请从来源处重新复制，不要带引号或空格。",
  "server-key": "服务器拒绝了密钥。请用有效的密钥重新连接。",
  "server-not-found": "这个地址上没有 OpenAI 协议的模型列表。请检查地址，它通常以“/v1”结尾。",
  "server-empty": "服务器没有列出任何模型。请先在服务器上加载模型，然后重试。",
  "server-model-gone": "服务器上已没有这个模型。请从模型列表中另选一个。",
  "server-context": "对话已超出服务器模型的上下文。请开始新对话，或在服务器上配置更长的上下文。",
  "server-no-pictures": "服务器上的这个模型不能看图。请选择能看图的模型（如 LLaVA）；llama.cpp 还需要“--mmproj”文件。",
  "server-rejected": "服务器拒绝了请求，原因见下方。请据此修改后重试。",
  "server-filtered": "服务器上的过滤器拦截了这个回答或其余部分。请换个说法，或换一张图片。",
  "server-tools": "模型想调用工具，但本页没有工具。请再问一次，或换一个模型。",
  "server-busy": "服务器太忙，或你的额度已用完。请稍等片刻再试。",
  "server-failed": "服务器内部出错。请查看它的日志，然后重试。",
  "server-broken-stream": "回答中途断开。请检查网络和服务器，然后重试。",
  "server-wrong-answer": "收到的响应不符合 OpenAI 协议。请检查地址，它通常以“/v1”结尾。",
};

export const remote: Texts["remote"] = {
  device: "服务器",
  leaves: (host) =>
    isOnThisMachine(host)
      ? `内容留在本机：文字和图片由 ${host} 上的程序处理，除非该地址是通往另一台机器的隧道。`
      : `内容会离开本机：文字和图片将发送到 ${host}。`,
  answeredBy: (model, host) => `${model}（${host}）`,
  lead: (model, host) => `${model} 会看图，并在 ${host} 上回答。`,
  chooseModel: "选择模型",
  models: "模型",
  onThisDevice: "本机",
  sentTo: (host) =>
    isOnThisMachine(host) ? `内容留在本机，由 ${host} 上的程序处理（隧道除外）` : `内容会离开本机，发送到 ${host}`,
  silent: (seconds) => `服务器已有 ${seconds} 秒没有响应。`,
  endedWith: (word) => `服务器因自身原因结束了回答：“${word}”。`,
  endedSilently: "服务器还没有说明回答已完整，连接就关闭了。",
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
  modelName: "模型名称",
  modelNameHint: "如果地址无误，请填写模型在服务器上的名称。",
  keyCharacter: (character) => `就是这个字符：${character}`,
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
