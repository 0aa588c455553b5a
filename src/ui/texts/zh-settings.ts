// Chinese sentences about sampling and about the page as an app.
import type { app as englishApp, sampling as englishSampling } from "./en-settings.ts";

export const sampling: typeof englishSampling = {
  preset: "问题类型",
  presets: { conversation: "对话", detail: "详细描述", reasoning: "复杂推理" },
  presetQuestions: {
    conversation: "这张图片里有什么？",
    detail: "请详细描述这张图片。",
    reasoning: "这张图片有什么不寻常的地方？请一步一步说明。",
  },
  more: "更多设置",
  off: "关闭",
  topK: "Top-k",
  topKHint: "只考虑概率最高的这么多个词。",
  minP: "Min-p",
  minPHint: "概率低于最可能词这一比例的词不予考虑。",
  repetitionPenalty: "重复惩罚",
  repetitionPenaltyHint: "越高，已经说过的词越不容易再出现。",
  seed: "随机种子",
  seedHint: "同一个数字得到同样的回答。留空则每次不同。",
  imageMode: "非正方形图片",
  imageModes: { auto: "按训练方式", pad: "填充", crop: "裁剪", resize: "拉伸" },
  systemPrompt: "系统提示词",
  systemPromptHint: "放在对话之前。留空则用模型训练时的提示词，小模型离不开它。",
};

export const app: typeof englishApp = {
  install: "安装为应用",
  prepare: "输入时预先准备",
  prepareHint: "在发送之前先看图片、读问题，回答会更快开始。只在本设备上进行，绝不发往服务器。",
  updateReady: "本页有新版本可用。",
  update: "立即刷新",
  updateLater: "稍后",
  updateOtherTabs: "其他标签页还在使用旧版本。请关闭它们，然后刷新。",
};
