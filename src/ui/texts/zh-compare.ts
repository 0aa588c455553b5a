// 关于模型对比的中文文本。Chinese, about models side by side.
import type { Texts } from "./en.ts";

export const compare: Texts["compare"] = {
  open: "并排对比",
  title: "模型并排对比",
  lead: "让两个或更多模型回答同一个问题。服务器上的模型同时回答；本设备上的模型共用设备，因此依次回答。",
  models: "参与回答的模型",
  question: "问题",
  ask: "全部提问",
  adopt: "用这个继续",
  best: "这个最好",
  tie: "一样好",
  none: "都不好",
  kept: (count) => (count === 1 ? "投票已保存在本浏览器。" : `投票已保存在本浏览器，此前共有 ${count - 1} 票。`),
  export: "下载投票",
};
