"""How questions of the nl2sql sample are put: lists with blanks between; what follows "/" is kept for dev and test.

{np}: noun with its conditions before it. {c}: the conditions as a clause. {n}: noun. {m}: its measure word. {s}: how a column is called.
{v}, {a}, {b}: values. {e}: a thing by its name. {high}, {low}: adjectives of a column.
"""

OPENINGS = (
    "请问 请问一下， 帮我查一下 帮我查查 我想知道 你好， 你好，请问 诶， 想问一下 麻烦问下， 我想问问啊， 查一下 想了解一下 那个， 能帮我看看吗，"
    "/您好，问一下 咨询一下， 劳驾， 打听一下， 我想问下啊，就是 你知道吗， 亲，帮我看看 哎，问个事， 嗯，我想查 麻烦你了，"
)
#: Numbers that are no value.
ASIDES = "我有2个备选， 第一次来问， 我们3个人， 在这十几条里， 我看了5分钟没看明白，/这1页表里， 我第2次问了， 给你1分钟，"
ENDINGS = "啊 呢 呀/哦 呐 来着"

#: Questions for the things themselves.
LIST = (
    "{np}有哪些 {np}都有哪些 哪些{n}{c} 有哪些{n}{c} {np}是哪{m} 哪{m}{n}{c} {np}叫什么 什么{n}{c} {c}的是哪{m}{n} {c}的是哪些{n} 有哪些{np} {np}是什么"
    " 我想找{np} 帮我找找{np} 哪几{m}{n}{c} 我想找{n}，{c} 帮我找{n}，要{c}"
    "/都有哪些{n}{c} {np}有哪几{m} {c}的都是哪些{n} {c}的都有哪些{n} {np}都是哪些 {c}的{n}都叫什么 {np}都叫啥 说说有哪些{np} 把{np}列一下"
    " 告诉我{np} 有哪几{m}{n}{c} 想看看{np} {c}的有哪些{n} {n}里哪些{c} 想找{n}，要求{c} 推荐几{m}{n}，{c}"
)
COUNT = (
    "{np}有几{m} {np}有多少{m} 有多少{m}{n}{c} 有几{m}{n}{c} {np}一共有多少{m} 一共有几{m}{n}{c} 多少{m}{n}{c} {np}一共几{m} 有几{m}{np}"
    "/{np}总共有多少{m} {np}总共几{m} 总共有几{m}{n}{c} {np}的数量是多少 共有多少{m}{np} 数一下{np}有几{m} {np}的总数是多少"
)
AVERAGE = (
    "{np}平均{s}是多少 {np}的平均{s}是多少 {np}{s}平均是多少 {np}{s}的平均值是多少 {np}的{s}平均多少"
    "/{np}{s}平均下来是多少 {np}平均{s}有多少 {np}的{s}均值是多少 算算{np}的平均{s}"
)
HIGHEST = "{np}{s}最{high}是多少 {np}最{high}的{s}是多少 {np}的{s}最{high}有多少 {np}{s}的最大值是多少/{np}{s}最{high}能到多少 {np}的最{high}{s}是多少 {np}里{s}最{high}的是多少"
LOWEST = "{np}{s}最{low}是多少 {np}最{low}的{s}是多少 {np}的{s}最{low}有多少 {np}{s}的最小值是多少/{np}{s}最{low}能到多少 {np}的最{low}{s}是多少 {np}里{s}最{low}的是多少"
TOTAL = "{np}{s}加起来是多少 {np}{s}一共是多少 {np}的总{s}是多少 {np}{s}总共有多少 {np}的{s}总和是多少/{np}{s}合计是多少 {np}{s}之和是多少 {np}的{s}加在一起是多少 {np}{s}总计多少"

#: What is asked of {e}, or of a {np}: before the name of the column, and after it by what it holds.
LINKS = "的{s} {s} 的{s}/的那个{s} 的这个{s}"
TAILS = {
    "number": "是多少 多少 有多少/具体是多少 大概是多少 到底是多少 达到多少",
    "person": "是谁 是哪位 是谁/叫什么名字 是什么人 叫啥",
    "place": "是哪里 在哪里 在哪/在哪儿 是哪儿 在什么地方",
    "time": "是什么时候 是几时 是什么时候/是啥时候 是哪个时间",
    "year": "是哪年 是哪一年 是什么时候/是几几年 是啥时候",
    "firm": "是哪家 是什么 是哪一家/叫什么 是啥 叫啥",
    "text": "是什么 是啥 是什么/具体是什么 是哪种 是哪个",
    "code": "是多少 是什么/是啥 是几",
}
TOGETHER = "{e}的{a}和{b}分别是多少 {e}的{a}和{b}是多少 {e}的{a}、{b}各是多少/{e}的{a}以及{b}是多少 {e}的{a}跟{b}都是多少 {e}的{a}还有{b}分别是多少"
TOGETHER_TEXT = "{e}的{a}和{b}分别是什么 {e}的{a}和{b}是什么 {e}的{a}、{b}都是什么/{e}的{a}以及{b}是什么 {e}的{a}还有{b}是啥 {e}的{a}跟{b}各是什么"
EACH = "分别 分别 都/各自 各"
#: The name at the end. {ask}: what is asked, without its subject.
INVERTED = (
    "{ask}，{n}是{e} {ask}啊，{n}叫{e} 我要查{s}，{n}是{e} 帮我查{s}，{n}叫{e} 想知道{s}，我说的是{e}"
    "/{ask}，就是{e} 想查下{s}，{n}是{e} {ask}，{n}名字叫{e} 告诉我{s}，{n}是{e}"
)
KNOWN = "{e}{c}，那{ask} {e}{c}，{ask} 已知{e}{c}，{ask}/{e}如果{c}，那{ask} 听说{e}{c}，那{ask} {e}的话，{c}，{ask}"

MORE = "超过{v} 大于{v} {over}于{v} 在{v}以上 比{v}{high} 超{v} 不止{v} {v}以上 高于{v}/超过了{v} 达到{v}以上 超出{v} 比{v}还{high} 比{v}要{high} 有{v}以上 要大于{v}"
LESS = "低于{v} 小于{v} {under}于{v} 不到{v} 在{v}以下 比{v}{low} 不足{v} 没到{v} {v}以下/不超过{v} 还不到{v} 比{v}还{low} 比{v}要{low} 没有到{v} 没达到{v} 要小于{v} 没超过{v}"
EQUAL = "是{v} 为{v} 等于{v}/正好是{v} 刚好{v} 恰好是{v}"
UNEQUAL = "不是{v} 不为{v}/并不是{v} 不等于{v}"
#: Before a noun.
EXCEPT = "除了{v}以外的 {v}以外的/除{v}之外的"
BETWEEN = "在{a}到{b}之间 在{a}和{b}之间 大于{a}小于{b} 超过{a}但不到{b}/介于{a}和{b}之间 高于{a}低于{b} 在{a}以上{b}以下 {a}到{b}之间"
SAME_BOTH = "{a}和{b}都{c} {a}、{b}都{c} {a}跟{b}都{c} {a}和{b}同时{c}/{a}还有{b}都{c} {a}与{b}都{c} {a}以及{b}全都{c}"
SAME_EITHER = "{a}或者{b}{c} {a}或{b}{c} {a}或者是{b}{c}/{a}或是{b}{c} {a}或者{b}有一个{c} {a}、{b}有一个{c}"
#: By operator; {verb}: what a thing did in that year.
YEARS = {
    0: "{v}年以后{verb} {v}年之后{verb}/晚于{v}年{verb} {v}年往后{verb}",
    1: "{v}年以前{verb} {v}年之前{verb}/早于{v}年{verb} {v}年往前{verb}",
    2: "{v}年{verb} 在{v}年{verb}/于{v}年{verb}",
}
NAMED_CLAUSES = "{s}是{v} {s}为{v}/{s}叫{v} {s}就是{v}"

AND = "而且 并且 同时 ， 且 还有 ，还有 ，而且/，并且 ，同时 以及 ，另外 再加上 ，还要"
OR = "或者 或 ，或者 或者是 或是/，或是 要么 ，要么 ，或 ，又或者 再或者"
NAMES_AND = "{a}和{b} {a}、{b} {a}跟{b} {a}还有{b}/{a}与{b} {a}以及{b} {a}，{b}"
NAMES_OR = "{a}或者{b} {a}和{b} {a}或{b}/{a}或是{b} {a}以及{b} {a}、{b}"
THEN = "，/，还有 ，另外"
