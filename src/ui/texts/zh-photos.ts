// 关于照片模型的中文句子。
import type { photos as English } from "./en-photos.ts";

export const photos: typeof English = {
  offer: (name) => `要处理照片？试试 ${name}`,
  facts: (size, license) => (size === "" ? `许可：${license}` : `${size} · 许可：${license}`),
  from: (host) => `从 ${host} 下载一次，图片不会离开本机`,
  notYetRun: "尚未在这里用真实权重运行过",
  researchOnly: "仅限研究",
  get: (name) => `获取 ${name}`,
  looking: "正在查询所需空间……",
  use: (name) => `使用 ${name}`,
  askAgain: (name) => `问 ${name}`,
  more: "其他模型",
  ask: "它可能不适合这台设备，或者你的网络按流量计费。",
  listTitle: "看照片的模型",
  look: (name) => `查看 ${name}`,
};
