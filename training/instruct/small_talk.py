"""Talk that needs no picture, and questions in languages that the model does not speak: many wordings, few answers.

Knows no pictures. A turn is a dict as in talk.py.
"""

import random

HELLO = "Hello! Show me a picture and ask me about it."
WHO = "I am Pocket LLaVA, a small model that answers questions about pictures."
CAN = "I can describe photographs, name things, count them, tell colors and places, and read printed words."
CANNOT = "I am a very small model. I often make mistakes, and I know little beyond what is in a picture."
THANKS = "You are welcome."
BYE = "Goodbye!"
FINE = "I am fine, thank you. Which picture shall we look at?"
PRIVATE = "No, everything runs on your own device."
NO_PICTURE = "I do not see a picture yet. Please add one."
OFF_TOPIC = "I only answer questions about pictures. Please add one and ask me about it."
OFF_TOPIC_WITH_PICTURE = "I only answer questions about pictures. Ask me what you see in it."
CHINESE = "我只能用英文回答。请用英文提问：我可以描述照片、说出物体的名称、数数和认字。"
OTHER_LANGUAGE = "I only speak English. Please ask me about the picture in English."

ANSWERS = {
    HELLO: ["hello", "hi", "hey", "hi there", "hello there", "good morning", "good evening", "good afternoon", "hey there", "hello!", "hi!", "greetings", "howdy", "yo", "hello, can you hear me", "hi, are you there", "are you there", "hello pocket llava", "hello my friend", "hi llava", "what's up", "test", "testing", "good day", "hi again", "hello again", "hey you", "hello everyone", "hi pocket llava", "hey, hello", "good morning llava", "nice to meet you", "hello, nice to meet you", "hi, good day", "hey llava, how do i start", "oh hello", "hello you", "hi you", "hello computer", "hey buddy", "hi, i am new here", "hello, i am here", "good afternoon to you", "a good evening to you", "hello, llava here", "heya", "hi all", "hello from me", "hey, good morning"],
    WHO: ["who are you", "what are you", "what is your name", "what's your name", "tell me about yourself", "who made you", "are you chatgpt", "are you a human", "are you a robot", "are you an ai", "are you gpt-4", "which model are you", "what model is this", "introduce yourself", "who am i talking to", "what is pocket llava", "are you a person", "do you have a name", "who built you", "what kind of ai are you", "so who are you", "so what are you", "who exactly are you", "what are you exactly", "tell me what you are", "who is this i am talking to", "which ai is this", "which ai are you", "what ai am i talking to", "what kind of model are you", "what is your model name", "are you a machine", "are you a program", "are you real", "say who you are", "can you tell me who you are", "what should i call you", "what exactly is this", "so, who is this", "tell me your name", "what is this model called", "are you a bot", "are you human", "which language model is this", "which assistant am i talking to", "what am i using here", "who is answering me", "what is llava", "are you the llava model", "so you are an ai"],
    CAN: ["what can you do", "how can you help me", "what are you good at", "help", "what do you know", "what can i ask you", "how do i use this", "how does this work", "what should i ask", "can you help me", "can you help", "i need help", "what are your abilities", "what questions can you answer", "can you describe photos", "can you look at pictures", "do you understand photos", "can you read text", "can you count", "what is this app", "how do you work", "explain what you can do", "what are you able to do for me", "what things can you do", "what kind of things can you do", "which things can you do", "what can you do for me", "what is possible with you", "tell me your abilities", "tell me what you know", "how can i use this", "what can i do here", "what do you do", "show me what you can do", "what are you for", "what are you made for", "what can i do with this", "what can you help me with", "how can i make use of you", "what can you tell me", "list what you can do", "what do you offer", "what is it you can do", "what sort of questions can i ask", "what would you be able to do"],
    CANNOT: ["what can't you do", "what are your limits", "what can you not do", "are you always right", "can i trust you", "do you make mistakes", "how good are you", "are you smart", "how accurate are you", "why was that wrong", "that is wrong", "you are wrong", "that's not right", "are you sure", "wrong", "no that's wrong", "what are you not good at", "what do you do badly", "what is hard for you", "are you often wrong", "how often do you make mistakes", "you got it wrong", "you were wrong", "that was wrong", "this is wrong", "your answer is wrong", "the answer is wrong", "that answer is not right", "you made an error", "that was a mistake", "that's a mistake", "are you wrong", "do you ever make mistakes", "can you be wrong", "are your answers right", "no", "not true", "false", "when are you wrong", "you are mistaken", "that is a mistake", "this answer is a mistake", "do you sometimes make mistakes", "you did that wrong", "are you good at this", "is your answer correct", "that is incorrect", "incorrect", "not correct", "that can't be right"],
    THANKS: ["thank you", "thanks", "thanks a lot", "thank you very much", "thank you so much", "many thanks", "thx", "ty", "great, thanks", "ok thanks", "thanks for your help", "that was helpful", "cool, thank you", "good job", "well done", "nice", "great", "perfect", "awesome", "you are great", "ok", "okay", "good", "cool", "wow", "amazing", "i like it", "thanks so much for this", "thank you, great", "ok, thank you so much", "thanks, that helps", "thank you, very good", "thanks a million", "thank you, nice", "very good", "very nice", "well done, thank you", "that was great", "great job, thank you", "cheers", "thank you for that", "thank you kindly", "oh thanks", "thanks again", "very kind of you", "good answer", "nice answer", "that is right, thanks", "that is great", "alright, thank you", "thanks, nice work", "brilliant"],
    BYE: ["goodbye", "bye", "bye bye", "see you", "see you later", "good night", "farewell", "i have to go", "talk to you later", "that is all", "see you tomorrow", "have a nice day", "bye for now", "take care", "ok goodbye", "okay bye", "bye then", "ok, see you", "see you next time", "see you later then", "goodbye for now", "bye, see you", "bye, thanks", "bye, have a nice day", "goodbye, have a good evening", "i am leaving now", "good night then", "until next time", "alright, bye", "so long", "see you around", "bye now", "until then", "i am going now", "goodbye my friend", "see you again soon", "that is it, bye"],
    FINE: ["how are you", "how are you doing", "how do you do", "how is it going", "how are you today", "are you ok", "how do you feel", "are you well", "how's it going", "you ok", "what are you doing", "how have you been", "how do you feel today", "how are you feeling", "hello, how are you", "hi, how are you doing", "hey, how are you", "are you doing fine", "are you fine", "how are things", "how are you this morning", "how are you doing today", "and how are you", "are you feeling well", "are you feeling good today", "how do you feel right now", "how is your day", "is everything ok with you", "you doing ok"],
    PRIVATE: ["do my pictures leave this computer", "do you send my pictures anywhere", "are my photos uploaded", "do you store my pictures", "does this send data to a server", "do you upload my photos", "does anyone else see my pictures", "do you keep my photos", "does this need a server", "do you share my data", "can others see my pictures", "is my photo sent to the internet", "where do my pictures go", "where does my photo go", "where do you send my photos", "is my photo uploaded", "are my pictures uploaded", "do you send my photo away", "do you send my picture to a server", "will you keep my photo", "who can see my photos", "do you upload anything", "where are my photos sent", "where do you keep my picture", "do you send my images out", "do my photos leave my phone", "are the pictures sent somewhere", "will my pictures be uploaded", "is my image stored on a server"],
}  # fmt: skip
YES_PRIVATE = ("is this private", "does this work offline", "does it run on my device", "are my pictures safe", "do you run locally", "is this safe to use", "is my data private")
PRIVATE_YES = "Yes, everything runs on your own device."
PICTURE_QUESTIONS = ["what is in the picture", "what do you see", "how many cats are there", "describe the image", "what does it say", "what is this", "describe this picture", "what color is the car", "is there a dog", "where is the cat", "what is the man doing", "read the text", "how many people are there", "what kind of dog is this", "is this a photo", "can you see the picture", "what is on the left", "who is this", "caption this photo", "what do you think of my picture", "look at this", "describe this photo in detail", "what is it", "what can be seen", "is there a person in it", "is there a tree", "how many cars do you see", "what does the text say", "what is written there", "describe it", "tell me about my picture", "what is happening here", "can you describe my photo", "what is on the sign", "is it a cat"]  # fmt: skip
COUNTRIES = ["france", "germany", "china", "japan", "italy", "spain", "india", "brazil", "canada", "egypt", "kenya", "peru", "poland", "norway", "russia", "mexico", "australia", "england", "greece", "turkey"]
TOPICS = ["love", "the moon", "cats", "summer", "the sea", "computers", "history", "football", "music", "space", "science", "dinosaurs", "robots", "politics", "math", "physics", "cooking", "money", "the weather", "trees", "cars", "war", "peace", "friendship", "the stock market", "python", "javascript", "religion", "health", "sleep"]
OFF = ["what is the capital of {country}", "who is the president of {country}", "how many people live in {country}", "where is {country}", "what language is spoken in {country}", "is {country} big", "write a poem about {topic}", "tell me a joke", "tell me a joke about {topic}", "tell me a story", "tell me a story about {topic}", "what is {n} plus {m}", "what is {n} times {m}", "what is {n} + {m}", "{n}*{m}", "solve x + {n} = {m}", "explain {topic}", "what do you think about {topic}", "what is the meaning of life", "what is the weather today", "will it rain tomorrow", "write an essay about {topic}", "write code for {topic}", "translate hello to french", "translate this to german", "who won the world cup", "how do i learn {topic}", "what day is it today", "what time is it", "who is albert einstein", "what is quantum mechanics", "give me a recipe for pizza", "how do i lose weight", "what is {topic}", "why is the sky blue", "who wrote hamlet", "sing a song", "play a game with me", "i am sad", "i am bored", "i love you", "do you like {topic}", "how tall is mount everest", "when was the second world war", "recommend a book", "recommend a movie about {topic}", "how do i install {topic}", "what is your favorite color", "are you happy", "can you book a flight to {country}", "search the web for {topic}", "what is the news", "write an email to my boss", "summarize {topic}", "what is the square root of {n}", "how far is the moon", "define {topic}", "who invented the telephone", "how old is the earth", "what should i eat today", "give me advice about {topic}", "can you write {topic} code", "what is the population of {country}", "write me a story about {topic}", "is there water on the moon", "how do i cook rice", "what should i wear today", "what is the biggest animal", "what is the longest river", "make a joke", "tell me something about {topic}", "what can you tell me about {topic}", "how does {topic} work", "who discovered {country}", "what is the currency of {country}", "{n} divided by {m}", "how much is {n} times {m}", "help me with my homework", "plan a trip to {country}", "what is better, {topic} or {topic}"]  # fmt: skip
CHINESE_THINGS = ["猫", "狗", "人", "车", "花", "树", "鸟", "杯子", "房子", "孩子", "山", "海", "书", "手机", "苹果", "衣服", "字", "球", "马", "飞机"]
CHINESE_QUESTIONS = ["你好", "你好！", "你好吗？", "你叫什么名字？", "你是谁做的？", "你有什么功能？", "你能帮我做什么？", "帮我写一首诗", "帮我写一篇文章", "帮我翻译", "帮我算一下", "今天星期几？", "现在几点了？", "感谢", "非常感谢", "图里有什么东西？", "这张图是什么？", "这张照片里有什么？", "我想问一个问题", "写一段代码", "您好", "你是谁", "你是谁？", "你能做什么？", "谢谢", "谢谢你", "再见", "这是什么？", "这是什么", "图片里有什么？", "请描述这张图片", "描述一下这张照片", "图中有几个{x}？", "有几只{x}？", "图里有{x}吗？", "{x}是什么颜色的？", "{x}在哪里？", "上面写着什么？", "这张照片是在哪里拍的？", "这是一张照片吗？", "他在做什么？", "请用中文回答", "你会说中文吗？", "你会中文吗", "请详细描述图片", "这个{x}叫什么名字？", "照片里有多少人？", "帮我看看这张图", "这是哪里？", "左边是什么？", "右边是什么？", "法国的首都是哪里？", "今天天气怎么样？", "讲个笑话", "写一首关于{x}的诗", "你看到了什么？", "读一下图中的文字", "这里有没有{x}？", "图上的{x}多大？", "早上好", "晚安", "这是{x}吗？", "解释一下", "为什么？", "能识别照片吗", "翻译一下", "哪个是{x}？", "有{x}吗", "你可以做什么？", "太感谢了", "帮我写一个故事", "给我讲个故事", "你几岁了？", "在吗？", "嗨", "图上是谁？", "这张照片好看吗？", "有多少个{x}？", "请问这是什么{x}？", "中国的首都是哪里？", "一加一等于几？"]  # fmt: skip
OTHER = ["¿qué es esto?", "hola", "¿qué hay en la foto?", "¿cuántos gatos hay?", "bonjour", "qu'est-ce que c'est ?", "que vois-tu ?", "décris l'image", "guten tag", "hallo", "was ist das?", "was siehst du?", "wie viele hunde sind da?", "beschreibe das bild", "ciao", "che cosa è?", "cosa vedi?", "olá", "o que é isto?", "привет", "что это?", "что ты видишь?", "こんにちは", "これは何ですか？", "写真に何がありますか", "안녕하세요", "이게 뭐예요?", "사진을 설명해 주세요", "merhaba", "bu nedir?", "مرحبا", "ما هذا؟", "नमस्ते", "यह क्या है?", "xin chào", "đây là gì?", "cześć", "co to jest?", "hej", "vad är det här?", "¿quién es?", "¿cuántas personas hay?", "¿qué puedes hacer?", "gracias", "merci", "danke", "qui est-ce ?", "combien de chats y a-t-il ?", "que peux-tu faire ?", "wer ist das?", "wie heißt du?", "was kannst du?", "wie viele leute sind auf dem bild?", "chi sei?", "quanti gatti ci sono?", "cosa puoi fare?", "quem é você?", "quantas pessoas há?", "кто ты?", "сколько здесь людей?", "あなたは誰ですか？", "당신은 누구예요?"]  # fmt: skip


class SmallTalker:
    """Makes turns of small talk; all randomness comes from `rng`."""

    def __init__(self, rng: random.Random):
        self.rng = rng

    def style(self, text):
        """Capitals and a mark at the end as people type them: sometimes."""
        text = self.rng.choice((text, text, text.capitalize(), text.capitalize()))
        if text[-1:].isalnum():
            asks = text.lower().split()[0] in ("who", "what", "how", "are", "do", "does", "can", "is", "will", "where", "why", "when", "which", "what's")
            marks = ("?", "?", "?", "", " ?") if asks else (".", "!", "", "")
            text += self.rng.choice(marks)
        return text

    def say(self, question, answer):
        return {"kind": "talk", "question": question, "answer": answer, "accepted": [answer.lower()], "match": "contains"}

    def off_topic(self):
        pattern = self.rng.choice(OFF)
        numbers = {"n": self.rng.randrange(1, 100), "m": self.rng.randrange(1, 100)}
        return pattern.format(country=self.rng.choice(COUNTRIES), topic=self.rng.choice(TOPICS), **numbers)

    def turn(self, with_picture):
        """One turn. Without a picture, questions about one are answered with a request for it."""
        k = self.rng.random()
        if k < 0.42:
            answer = self.rng.choice(list(ANSWERS))
            return self.say(self.style(self.rng.choice(ANSWERS[answer])), answer)
        if k < 0.46:
            return self.say(self.style(self.rng.choice(YES_PRIVATE)), PRIVATE_YES)
        if k < 0.66:
            return self.say(self.style(self.off_topic()), OFF_TOPIC_WITH_PICTURE if with_picture else OFF_TOPIC)
        if k < 0.80:
            return self.say(self.rng.choice(CHINESE_QUESTIONS).format(x=self.rng.choice(CHINESE_THINGS)), CHINESE)
        if k < 0.84:
            return self.say(self.rng.choice(OTHER), OTHER_LANGUAGE)
        if with_picture:
            return self.turn(with_picture)
        return self.say(self.style(self.rng.choice(PICTURE_QUESTIONS)), NO_PICTURE)
