// Chinese sentences about sampling and about the page as an app.
import type { app as englishApp, sampling as englishSampling } from "#ui/texts/en/settings.ts";

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
  topKHint: "只从概率最高的若干个词元中采样。",
  minP: "Min-p",
  minPHint: "舍弃概率低于最可能词元这一比例的词元。",
  repetitionPenalty: "重复惩罚",
  repetitionPenaltyHint: "越高，越不容易重复用过的词。",
  seed: "随机种子",
  seedHint: "同一个种子得到同样的回答。留空则每次随机。",
  imageMode: "非正方形图片",
  imageModes: { auto: "与训练一致", pad: "填充", crop: "裁剪", resize: "拉伸" },
  detail: "看图精细度",
  details: { auto: "自动", quick: "快速浏览", every: "看清细节" },
  detailHint: "有些模型可以把图片分块细看，能看清小字，但要多花好几倍的时间。“自动”只在速度快的设备上这样做。",
  systemPrompt: "系统提示词",
  systemPromptHint: "放在对话之前。留空则使用模型训练时的提示词，小模型离不开它。",
};

export const app: typeof englishApp = {
  install: "安装应用",
  prepare: "输入时提前处理",
  prepareHint: "在发送之前先处理图片和问题，让回答更快开始。只在本机进行，绝不发往服务器。",
  updateReady: "本页有新版本可用。",
  update: "立即刷新",
  updateLater: "稍后",
  updateOtherTabs: "其他标签页还在使用旧版本。请关闭它们，然后刷新。",
};
