// What a judge is told, by kind of question: LLaVA's rules (eval/table/rule.json), which share most of their sentences.

const performance =
  "We would like to request your feedback on the performance of two AI assistants in response to the user question displayed above.";
const boxes =
  " The user asks the question on observing an image. For your reference, the visual content in the image is represented with five descriptive sentences describing the same image and the bounding box coordinates of each object in the scene. These coordinates are in the form of bounding boxes, represented as (x1, y1, x2, y2) with floating numbers ranging from 0 to 1. These values correspond to the top left x, top left y, bottom right x, and bottom right y. ";
const sentences =
  " The user asks the question on observing an image. For your reference, the visual content in the image is represented with a few sentences describing the image. ";
const scale = `
Please rate the helpfulness, relevance, accuracy, level of details of their responses. Each assistant receives an overall score on a scale of 1 to 10, where a higher score indicates better overall performance.
Please first output a single line containing only two values indicating the scores for Assistant 1 and 2, respectively. The two scores are separated by a space.
In the subsequent line, please provide a comprehensive explanation of your evaluation, avoiding any potential bias and ensuring that the order in which the responses were presented does not affect your judgment.`;

const byKind: Readonly<Record<"text" | "boxes" | "sentences", string>> = {
  text: performance + scale,
  boxes: performance + boxes + scale,
  sentences: performance + sentences + scale,
};

/** For code and for mathematics: the original's points in this project's words, with the two scores on the first line, where they are read. */
const coding = `Two AI assistants were asked to write a program that solves the problem above. Please review what they submitted.
Check whether each program does what the problem states, whether it is accurate and efficient, whether its comments are clear and help the reader, and whether it keeps to good practice in its structure and naming.
Please first output a single line containing only two scores on a scale of 1 to 10 for Assistant 1 and 2, respectively, separated by a space. 1 means that there is no code, or that it makes no sense; 10 means that it is perfect.
From the next line on, please describe the strengths and weaknesses of both programs and suggest how each could be improved.`;
const math = `We would like your feedback on the mathematical ability of two AI assistants, shown by their answers to the question above.
Please first solve the problem by yourself, without regard to their answers. Then check each step of both answers and find the steps that are wrong, if there are any. The scores are for the way to the solution as well as for the result.
Please output a first line containing only two scores from 1 to 10 for Assistant 1 and 2, respectively, separated by a space.
From the next line on, please give your own solution, explain why the scores differ, if they do, and say which assistant did better.`;

/** The rule for each category that LLaVA's question files have. */
export const rules: ReadonlyMap<string, string> = new Map([
  ["default", byKind.text],
  ["coding", coding],
  ["math", math],
  ...["conv", "detail", "complex"].map((category): [string, string] => [category, byKind.boxes]),
  ...["conv", "detail", "complex"].map((category): [string, string] => [`llava_bench_${category}`, byKind.sentences]),
]);
