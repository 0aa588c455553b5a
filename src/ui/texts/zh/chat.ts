// 关于对话中的图片、推荐问题和模型所懂语言的中文句子。
import type { chat as English } from "#ui/texts/en/chat.ts";

export const chat: typeof English = {
  choosePicture: "选择图片",
  dropAnywhere: "也可以把图片拖到或粘贴到页面任意位置",
  readsOnly: (model, languages) => `请用${languages}提问：${model} 看不懂其他语言。`,
  askShort: "提问……",
  askIn: (language) => `就图片提问（请用${language}）……`,
  examplesIn: (language) => `或者试试这些（用${language}提问）`,

  askTitle: "想了解这张图的什么？",
  suggested: "推荐问题",
  suggestedIn: (language) => `推荐问题（用${language}提问）`,
  suggestions: {
    basics: ["这是什么？", "描述一下这张图片。", "上面写着什么？"],
    photographs: ["这张图片里有什么？", "上面写着什么？", "有什么不寻常的地方？"],
    several: ["这些图有什么不同？", "这些图有什么共同点？"],
  },
  describe: (count) => (count === 1 ? "描述一下这张图片。" : "描述一下这些图片。"),

  opening: (name) => `正在打开 ${name}……`,
  cancel: (name) => `不再打开 ${name}`,
  tryAgainWith: (name) => `重试 ${name}`,
  remove: "移除",
  crop: "裁剪",
  cropOne: (name) => `裁剪 ${name}`,

  pictures: "这个对话里的图片",
  showPicture: (index, name) => `显示图片 ${index}：${name}`,
  part: "就局部提问",
  partTitle: "就图片的局部提问",
  partHint: "在图片上框出你要问的部分，或在这里移动边框。它会随下一个问题一起发送。",
  partDone: "使用这一部分",

  sameAnswer: "模型给出了同样的回答。",
  toEnd: "跳到末尾",
  shortcuts: "键盘快捷键",

  languageNote: (model, reads, asked) => `${model} 只懂${reads}，看不懂${asked}问题。`,
  modelReads: (model, language) => `${model} 懂${language}。`,
  useModel: (model) => `使用 ${model}`,
  seeModels: "查看模型",
};
