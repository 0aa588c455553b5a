// 关于照片模型的中文句子。
import type { photos as English } from "#ui/texts/en/photos.ts";

export const photos: typeof English = {
  offer: (name) => `要看照片？试试 ${name}`,
  beside: {
    one: (name) => `这看起来是一张照片。${name} 看照片更在行。`,
    all: (name) => `这些看起来都是照片。${name} 看照片更在行。`,
    some: (name) => `这些图里有照片。${name} 看照片更在行。`,
  },
  notAgain: "不再提示",
  facts: (size, license) => (size === "" ? license : `${size} · ${license}`),
  from: (host) => `从 ${host} 下载一次。图片不会离开本机。`,
  orMore: (size) => `${size} 以上`,
  notYetRun: "实验性，尚未实测",
  researchOnly: "仅限研究用途",
  get: (name) => `获取 ${name}`,
  unreachable: (host) => `无法连接 ${host}。`,
  looking: "正在查询大小……",
  use: (name) => `使用 ${name}`,
  askAgain: (name) => `问 ${name}`,
  more: "其他模型",
  ask: "它可能不适合本机，或者你的网络按流量计费。",
  listTitle: "可下载",
};
