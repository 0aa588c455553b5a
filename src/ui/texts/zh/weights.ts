// 关于权重下载和内存的中文句子。
import type { weights as English } from "#ui/texts/en/weights.ts";

export const weights: typeof English = {
  silent: "服务器没有继续发送数据。已收到的部分会保留，每 15 秒会重新请求一次。",
  askAgain: "立即重新请求",
  stopped: (name) => `已停止加载 ${name}。已收到的部分会保留。`,
  madeRoom: (name) => `内存不足，${name} 已为另一个模型让出空间。再次提问时会重新加载。`,
  loaded: "已加载",
};
