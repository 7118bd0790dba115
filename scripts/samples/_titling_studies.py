"""Phrasings of the abstracts on engineering and economics of the title generation sample. See `_titling_phrasings.py`."""

from samples._titling_phrasings import Domain, Story

ENGINEERING = Domain(
    stories=(
        Story(
            titles=(("{material}{property}试验研究",), ("{material}的{property}研究",)),
            tellings=(
                (
                    "制作了{count}组试件，通过室内试验考察{material}的{property}，并用电镜观察其微观结构。",
                    "改变掺量，从{handful}%逐步增加到40%，试件的{property}先升后降，说明{material}存在一个合理区间。",
                    "{property}直接关系到工程寿命。|以{material}为对象开展室内试验，养护28 d后强度提高{percent}。",
                    "{material}的{property}随掺量先升后降，{count}组试件的室内试验证实了这一点。",
                ),
                (
                    "室内试验结果和电镜照片都说明，{material}的{property}优于普通试件。",
                    "{material}的{property}先升后降，随掺量变化，存在一个合理区间。",
                    "{material}试件养护28 d，室内试验考察了其{property}，并用电镜观察微观结构。",
                ),
            ),
        ),
        Story(
            titles=(("基于{software}的{part}有限元分析", "{part}的结构优化设计"), ("{part}强度的有限元分析",)),
            tellings=(
                (
                    "在{software}中建立{part}的三维模型，划分网格并施加载荷，得到应力云图，最大应力为{count} MPa。",
                    "为减轻重量，以壁厚为变量对{part}进行多目标寻优，重量减少{percent}，刚度满足要求。",
                    "基于{software}建立了{part}的三维模型，施加载荷后得到应力云图，最大应力为{count} MPa。",
                ),
                (
                    "最大应力为{count} MPa，这一结果来自{software}中{part}的三维模型。",
                    "重量减少{percent}，{part}的刚度仍然满足要求，寻优以壁厚为变量。",
                    "{software}中建立的{part}三维模型，经划分网格后得到应力云图。",
                ),
            ),
        ),
        Story(
            titles=(("{dam}渗流稳定数值模拟",), ("{dam}渗流场的数值模拟",)),
            tellings=(
                (
                    "建立三维模型，计算了不同水位下{dam}内部的孔隙水压力，结果说明渗流状态总体安全。",
                    "{dam}的安全与渗流密切相关。|建立三维模型，得到{handful}种工况下的孔隙水压力和流速分布。",
                    "{dam}的孔隙水压力随水位而变化，三维模型的计算结果说明渗流状态总体安全。",
                ),
                (
                    "渗流状态总体安全，这是用三维模型计算{dam}孔隙水压力得到的结果。",
                    "计算了{handful}种工况下{dam}的流速分布，渗流状态总体安全。",
                    "{dam}内部的渗流由三维模型计算，得到{handful}种工况下的流速分布。",
                ),
            ),
        ),
        Story(
            titles=(("{dam}变形监测与分析",), ("{dam}变形监测",)),
            tellings=(
                (
                    "在{dam}布设{few}个测点，连续{count}天记录沉降和水平位移，数据表明变形已趋于收敛。",
                    "{dam}的沉降和水平位移由{few}个测点连续记录，最大值出现在雨季，之后趋于稳定。",
                    "{dam}布设了{few}个测点，{count}天的沉降记录表明变形已趋于收敛。",
                ),
                (
                    "{few}个测点的沉降数据表明，{dam}变形已趋于收敛。",
                    "{count}天的沉降记录说明，{dam}的位移在雨季最大，之后趋于收敛。",
                    "{dam}的沉降和水平位移连续记录了{count}天，之后趋于稳定。",
                ),
            ),
        ),
        Story(
            titles=(("{part}故障诊断的{method}方法", "{part}常见故障及维修"), ("基于{method}的{part}故障诊断",)),
            tellings=(
                (
                    "采集{part}的振动信号，经小波去噪后送入{method}，可区分{handful}类故障，诊断准确率为{rate}。",
                    "结合多年现场经验，列举{part}异响、漏油、过热等故障的原因，逐一给出排除办法。",
                    "{part}的振动信号经去噪后送入{method}，可区分{handful}类故障，准确率为{rate}。",
                ),
                (
                    "{method}可区分{handful}类故障，输入是{part}的振动信号，诊断准确率为{rate}。",
                    "异响、漏油和过热是{part}的主要故障，逐一分析了原因和排除办法。",
                    "{part}故障可由{method}区分，输入是小波去噪后的振动信号。",
                ),
            ),
        ),
    ),
    openings=(
        (
            "工程建设规模不断扩大，对安全提出了更高要求。", "服役环境复杂，事故时有发生。", "现行规范对此没有明确规定。", "{place}某工程在施工中遇到了新的难题。",
        ),
        ("设备的可靠性直接关系到生产效率。", "以往的设计多依靠经验，缺少计算依据。", "近年来，类似的问题在{place}多次出现。", "理论研究落后于工程实践。"),
    ),
    details=(
        (
            "计算值与实测值的误差在{handful}%以内。", "依托工程位于{place}市。", "结果与{software}的计算吻合较好。", "研究成果已用于{bridge}的施工。", "所得结论可供同类工程参考。",
            "试验按照现行规范进行，温度为{few} ℃。",
        ),
        ("{company}参与了现场测试。", "在{bridge}的应用效果良好。", "{company}提供了技术资料。", "误差主要来自边界条件的简化。", "温度变化的作用不可忽略。"),
    ),
)  # fmt: skip

ECONOMICS = Domain(
    stories=(
        Story(
            titles=(("{factor}对{outcome}的影响——基于{place}的调查", "{factor}对{outcome}的影响研究"), ("{factor}如何影响{outcome}",)),
            tellings=(
                (
                    "利用{place}{count}份问卷，考察{outcome}与{factor}的关系，回归系数显著为正。",
                    "{outcome}为什么有高有低？|采用面板数据的检验结果表明，{factor}是重要的推动力量，且在中部更强。",
                    "以{year}年以来的面板数据为样本，检验{factor}能否改善{outcome}，结论在替换变量后依然成立。",
                    "{factor}与{outcome}的关系如何？|{place}{count}份问卷的回归结果说明，前者显著改善了后者。",
                ),
                (
                    "{place}的{count}份问卷说明，{outcome}与{factor}的关系显著为正。",
                    "面板数据的检验结果表明，{outcome}受到{factor}的推动，替换变量后依然成立。",
                    "{factor}能够改善{outcome}，这一结论来自面板数据的检验结果。",
                ),
            ),
        ),
        Story(
            titles=(("{factor}与{outcome}：{mediator}的中介作用",), ("{mediator}在{factor}与{outcome}间的中介作用",)),
            tellings=(
                (
                    "构建结构方程模型，考察{factor}影响{outcome}的路径，其中有{percent}的效应通过{mediator}传递。",
                    "{mediator}起到了桥梁的作用：{factor}先改变它，再由它改变{outcome}，这一路径得到{count}份样本的支持。",
                    "{factor}影响{outcome}的路径有两条，其中{percent}的效应通过{mediator}传递。",
                ),
                (
                    "效应的{percent}通过{mediator}传递，这是{factor}影响{outcome}的主要路径。",
                    "结构方程模型说明，从{factor}到{outcome}，{mediator}起到了桥梁的作用。",
                    "{factor}先改变{mediator}，再由它改变{outcome}，结构方程模型支持这一路径。",
                ),
            ),
        ),
        Story(
            titles=(("{industry}发展现状与对策",), ("{industry}存在的问题及对策",)),
            tellings=(
                (
                    "{industry}起步晚、规模小、人才缺乏。|在实地走访{handful}家企业的基础上分析成因，从政策、资金和宣传三个方面给出建议。",
                    "从政策、资金和宣传三个方面，对{industry}面临的困难给出了建议，认为应当突出地方特色。",
                    "{industry}面临规模小、人才缺乏等困难，文章分析成因，从资金和宣传两个方面给出建议。",
                ),
                (
                    "人才缺乏、规模小，这些困难制约着{industry}，应当从资金和宣传上给予支持。",
                    "实地走访了{handful}家企业，分析{industry}面临的困难及其成因，给出了建议。",
                    "{industry}起步晚，困难不少，应当从政策和人才上给予支持。",
                ),
            ),
        ),
        Story(
            titles=(("{company}财务风险的识别与防范",), ("{company}财务风险及其防范",)),
            tellings=(
                (
                    "负债率连年上升，现金流吃紧，{company}的财务状况值得警惕。|从筹资、投资、营运三个环节找出隐患，给出应对办法。",
                    "{company}的财务数据中有不少隐患，负债率连续{few}个季度上升，现金流吃紧，应当及早采取措施。",
                    "{company}近年负债率上升，文章从筹资、投资、营运三个环节找出隐患，给出应对办法。",
                ),
                (
                    "从筹资和营运两个环节找出{company}的隐患，给出应对办法，以免现金流吃紧。",
                    "负债率连续{few}个季度上升，{company}的财务状况中有不少隐患，文中给出应对办法。",
                    "{company}现金流吃紧，财务状况值得警惕，应当从营运环节采取措施。",
                ),
            ),
        ),
        Story(
            titles=(("{company}股权激励效果分析",), ("{company}股权激励的效果",)),
            tellings=(
                (
                    "{year}年，{company}向{count}名骨干授予股票期权，比较前后{few}个季度的指标，净资产收益率和研发投入均有改善。",
                    "向骨干授予股票期权能否留住人才？|{company}的数据说明，{few}个季度以后，人员流失减少{percent}，股权变得更加分散。",
                    "{company}向骨干授予股票期权以后，净资产收益率和研发投入均有改善，人员流失减少{percent}。",
                ),
                (
                    "授予股票期权以后，{company}的净资产收益率有所改善，骨干流失减少{percent}。",
                    "比较前后{few}个季度的指标可知，{company}授予骨干股票期权的做法有助于留住人才。",
                    "{company}授予骨干股票期权，股权更加分散，{few}个季度后的指标有所改善。",
                ),
            ),
        ),
    ),
    openings=(
        (
            "经济转入高质量发展阶段，动力转换成为关键。", "学界对此看法不一。", "收入差距和区域差距仍是不可忽视的问题。", "以{place}为例的研究尚不多见。",
        ),
        ("政策的落地效果需要数据来检验。", "既有研究多以{industry}为对象。", "数字时代，这一问题有了新的含义。", "理论界和政策界都关注这一话题。"),
    ),
    details=(
        (
            "上述结论经过反复检验。", "{place}等地的情况更为突出。", "据此提出了{handful}条建议。", "资料的时间范围是{year}年至2020年。", "文中还讨论了年龄、规模等因素。",
            "{company}的案例也印证了这一点。",
        ),
        ("数据来自{school}的调查。", "在{place}的走访中也发现了类似的情况。", "{factor}的作用并不明显。", "访谈的结果与此一致。", "局限在于样本只覆盖{place}。"),
    ),
)  # fmt: skip
