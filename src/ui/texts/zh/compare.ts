// 关于模型对比的中文文本。Chinese, about models side by side.
import type { Texts } from "#ui/texts/en/en.ts";

export const compare: Texts["compare"] = {
  open: "对比模型",
  title: "对比模型",
  lead: "向两个或更多模型提出同一个问题。服务器上的模型同时回答，本机上的模型依次回答。",
  models: "模型",
  question: "问题",
  chooseTwo: "请至少选择两个模型。",
  blind: "盲测",
  blindHint: "投票前隐藏模型名称并打乱顺序。",
  hiddenName: (letter) => `模型 ${letter}`,
  answers: "回答",
  failed: "失败",
  won: "你的选择",
  noVote: "作答的模型不足两个，无法投票。",
  keys: (count) => `按键：1–${count} 选出最好，0 表示不分上下`,
  ask: "向全部提问",
  adopt: "用这个继续",
  best: "这个最好",
  tie: "不分上下",
  none: "都不好",
  kept: (count) => (count === 1 ? "投票已保存在此浏览器中。" : `投票已保存在此浏览器中（共 ${count} 票）。`),
  export: "下载投票",
  look: "浏览投票",
};
