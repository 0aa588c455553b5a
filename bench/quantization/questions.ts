// Questions for measuring quantization on a language model: some to calibrate on, others to measure with.

export const calibrationQuestions: readonly string[] = [
  "Explain why leaves change their colour in autumn.",
  "Write a short poem about a river.",
  "How do I make pancakes?",
  "What is the difference between a crocodile and an alligator?",
  "List five countries in Asia.",
  "Tell me a story about a girl and a dragon.",
  "What is gravity?",
  "Give me advice for learning a language.",
  "How does a refrigerator work?",
  "Summarize the story of Cinderella.",
  "What is 12 times 8? Show your steps.",
  "Write a Python function that reverses a string.",
  "Write an invitation to a birthday party.",
  "Who was Isaac Newton?",
  "What is the capital of Spain, and what is it known for?",
  "Describe a busy market in the morning.",
];

export const testQuestions: readonly string[] = [
  "Explain why the sky is blue.",
  "Write a short poem about the winter.",
  "How do I boil an egg?",
  "What is the difference between a virus and a bacterium?",
  "List five countries in Africa.",
  "Tell me a story about a lost dog.",
  "What is photosynthesis?",
  "Give me advice for a job interview.",
  "How does a bicycle stay upright?",
  "What are the primary colours?",
  "Why do cats purr?",
  "Write an email asking for a day off.",
  "How far away is the moon?",
  "What is inflation in economics?",
  "Explain recursion to a child.",
  "What should I cook with rice and beans?",
];
