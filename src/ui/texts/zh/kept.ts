// Chinese sentences about what is kept of a conversation and what is not.
import type { Texts } from "#ui/texts/en/en.ts";

export const kept: Texts["kept"] = {
  blocked: "此浏览器不保存本页数据：离开后对话会丢失。",
  blockedPart: (turns) => `浏览器未能保存最后 ${turns} 条消息，离开后会丢失。之前的消息已保存。`,
  full: "浏览器的存储空间已满：此对话未能保存，离开后会丢失。",
  fullPart: (turns) => `浏览器的存储空间已满：最后 ${turns} 条消息离开后会丢失。之前的消息已保存。`,
  pictures: (count) => `浏览器的存储空间已满：此对话中的 ${count} 张图片离开后会丢失。文字已全部保存。`,
  freeSpace: "清理空间",
  deletedElsewhere: "此对话已在另一个标签页中删除，不再保存。",
  keep: "保留",
  crashed: (title) => `上次显示“${title}”时页面意外关闭，因此没有自动打开它。`,
  missing: "此对话不在本机：可能已被删除，或属于另一个浏览器。",
  openAnyway: "打开",
};
