"""Phrasings of the abstracts on teaching and the humanities, and of surveys, of the title generation sample. See `_titling_phrasings.py`."""

from samples._titling_phrasings import Domain, Story

TEACHING = Domain(
    stories=(
        Story(
            titles=(("{pedagogy}在{course}课程中的应用",), ("{course}课程中{pedagogy}的应用",)),
            tellings=(
                (
                    "把{pedagogy}引入{course}课堂，从课前、课中、课后三个环节重新组织内容，学生平均分提高{handful}分。",
                    "{course}内容抽象，学生兴趣不高。|经过两个学期的尝试，{pedagogy}使课堂参与度提高{percent}。",
                    "{pedagogy}进入{course}课堂两个学期以后，学生平均分提高{handful}分，参与度也有改善。",
                ),
                (
                    "{course}课堂引入{pedagogy}以后，学生平均分提高{handful}分，参与度也有改善。",
                    "经过两个学期的尝试，学生更喜欢{pedagogy}，{course}不再抽象。",
                    "{pedagogy}使{course}课堂的参与度提高{percent}，学生不再觉得内容抽象。",
                ),
            ),
        ),
        Story(
            titles=(("“{concept}”背景下{course}教学改革探索",), ("“{concept}”视域下{course}教学改革",)),
            tellings=(
                (
                    "“{concept}”对人才培养提出了新要求。|{course}原有的大纲、教材和考核方式已不适应，文章就此提出调整思路。",
                    "{course}的大纲和考核方式亟待调整。|结合“{concept}”的要求，重新确定培养目标，引入{handful}个企业案例。",
                    "“{concept}”要求调整{course}的大纲和考核方式，文章据此重新确定培养目标，引入{handful}个企业案例。",
                ),
                (
                    "结合“{concept}”的要求，文章就{course}的教材和考核方式提出调整思路。",
                    "大纲陈旧、考核单一，{course}已不适应“{concept}”对人才培养的要求，需要调整。",
                    "“{concept}”的要求之下，{course}原有的教材已不适应，文章提出调整思路。",
                ),
            ),
        ),
    ),
    openings=(
        (
            "课堂是人才培养的主阵地。", "社会对毕业生的要求越来越高。", "{school}近年来作了不少尝试。", "传统的讲授方式难以调动学生。",
        ),
        ("如何激发学生的兴趣，是教师{person}一直思考的问题。", "在{place}的调研引出了本文的话题。", "已有讨论多停留在经验层面。", "{place}的同行近来也在讨论这一话题。"),
    ),
    details=(
        (
            "问卷发放给{school}的{count}名学生。", "学者{person}持不同看法。", "这一结论对相近的课题也有启发。", "文章最后讨论了不足之处。", "访谈材料主要取自{place}。",
            "该项工作得到{school}的支持。",
        ),
        ("{school}的{person}对初稿提出了意见。", "后续将继续扩大样本。", "访谈对象为{count}人。", "{school}的同类课程可作比较。", "{person}的研究可与本文相互印证。"),
    ),
)  # fmt: skip

SCHOLARSHIP = Domain(
    stories=(
        Story(
            titles=(("{topic}研究进展",), ("{topic}研究综述",)),
            tellings=(
                (
                    "梳理了近{few}年国内外关于{topic}的{count}篇文献，从数据、模型和评价三个方面归纳已有成果，并展望未来方向。",
                    "{topic}受到越来越多的关注。|回顾其发展历程，比较各类代表性工作的优缺点，最后指出有待解决的问题。",
                    "{topic}的发展大致分为三个阶段。|对近{few}年的{count}篇文献作了梳理，归纳已有成果，指出有待解决的问题。",
                ),
                (
                    "从数据、模型和评价三个方面回顾{topic}的代表性工作，归纳已有成果，指出有待解决的问题。",
                    "对{count}篇文献作了梳理，比较其优缺点，展望{topic}的未来方向。",
                    "{topic}的文献近{few}年增长迅速，从数据和模型两个方面回顾了代表性工作。",
                ),
            ),
        ),
        Story(
            titles=(("论《{book}》中的{character}", "《{book}》的叙事艺术"), ("《{book}》{character}研究",)),
            tellings=(
                (
                    "作家{person}笔下的人物总是沉默的。|{character}是《{book}》中最动人的部分，它折射出时代的变迁。",
                    "《{book}》打乱了时间顺序，由{few}个人物轮流讲述，这种写法让读者自己拼出故事的全貌。",
                    "《{book}》中的{character}折射出时代的变迁，是作家{person}用笔最多的部分。",
                ),
                (
                    "折射时代变迁的{character}，是理解{person}小说《{book}》的一把钥匙。",
                    "人物轮流讲述，时间顺序被打乱，《{book}》的写法值得细读。",
                    "《{book}》最动人的是{character}，作家{person}借此写出时代的变迁。",
                ),
            ),
        ),
        Story(
            titles=(("{place}方言的语音特点",), ("{place}方言语音研究",)),
            tellings=(
                (
                    "根据{handful}位老年发音人的录音，归纳了{place}话的声母、韵母和声调，并与邻近地区作了比较。",
                    "{place}话保留了不少古音。|根据田野录音整理其声母、韵母和声调，共得到{handful}条规律。",
                    "{place}话的声母、韵母和声调都有特色，文章根据{handful}位老年发音人的录音作了归纳。",
                ),
                (
                    "声母、韵母和声调各有特色，{place}话保留了不少古音，录音来自{handful}位老年发音人。",
                    "整理了{handful}位老年发音人的录音，与邻近地区相比，{place}话的声调较为特殊。",
                    "{place}话与邻近地区相比，声调较为特殊，文章根据录音作了整理。",
                ),
            ),
        ),
        Story(
            titles=(("{place}传统村落的空间分布特征",), ("{place}传统村落空间分布研究",)),
            tellings=(
                (
                    "借助GIS，对{place}{count}个传统村落的位置作核密度分析，发现它们沿河呈带状聚集。",
                    "{place}现存传统村落{count}个，它们在空间上并不均匀，多数沿河聚集，海拔越高越稀少。",
                    "{place}的传统村落有{count}个，核密度分析发现它们在空间上沿河呈带状聚集。",
                ),
                (
                    "沿河呈带状聚集，是{place}{count}个传统村落经核密度分析得到的规律。",
                    "空间上并不均匀，多数沿河聚集，{place}的{count}个传统村落有这样的规律。",
                    "{place}{count}个传统村落在空间上并不均匀，海拔越高越稀少。",
                ),
            ),
        ),
    ),
    openings=(
        (
            "学界对这一话题的讨论由来已久。", "已有文献对此着墨不多，观点也不一致。", "{school}近年来举办过相关的会议。", "理论与材料如何结合，是研究者面对的老问题。",
        ),
        (
            "在{place}的一次学术会议上，这一话题引起了讨论。", "学者{person}较早注意到这一点。", "近年来，相关的讨论日渐增多。", "材料的积累使进一步的讨论成为可能。",
        ),
    ),
    details=(
        (
            "学者{person}持不同看法。", "文章最后讨论了不足之处。", "该项工作得到{school}的支持。", "这一结论对相近的课题也有启发。", "部分材料由{place}的同行提供。",
            "类似的观点见于{year}年以来的多篇文献。",
        ),
        (
            "{school}的{person}对初稿提出了意见。", "后续将继续扩大材料的范围。", "这与学者{person}的看法相近。", "{place}的同行近来也在讨论这一话题。", "文中对术语作了统一。",
        ),
    ),
)  # fmt: skip
