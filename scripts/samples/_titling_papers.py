"""Phrasings of the abstracts on computing, farming and medicine of the title generation sample. See `_titling_phrasings.py`."""

from samples._titling_phrasings import Domain, Story

COMPUTING = Domain(
    stories=(
        Story(
            titles=(("基于{method}的{task}方法研究",), ("一种基于{method}的{task}方法",)),
            tellings=(
                (
                    "为提高{task}的准确率，提出一种新方法，先对原始数据去噪，再用{method}提取特征。",
                    "提出了一种将{method}引入{task}的方法，在公开数据集上，平均误差比基准降低{percent}。",
                    "传统手段在{task}中容易受噪声干扰。|为此提出一种新方法，其核心是{method}。",
                    "{method}被用于{task}。|提出的新方法先对原始数据去噪，误差比基准降低{percent}。",
                ),
                (
                    "先去噪，再用{method}提取特征，文中给出了一种用于{task}的方法。",
                    "{task}的误差仍然偏大。|提出的新方法把{method}作为核心，误差降低{percent}。",
                    "{method}是文中方法的核心，该方法用于{task}，误差比基准降低{percent}。",
                ),
            ),
        ),
        Story(
            titles=(("融合{method}与{method2}的{task}模型", "基于{method}的{task}模型构建"), ("{task}的{method}模型",)),
            tellings=(
                (
                    "构建了一个用于{task}的模型，先由{method}得到初始解，再交给{method2}作精细调整，均方根误差下降{percent}。",
                    "以{count}天的观测数据为样本，建立{task}模型，模型的参数由{method}确定。",
                    "融合{method}和{method2}，建立了一个用于{task}的模型，均方根误差下降{percent}。",
                ),
                (
                    "{method}得到初始解，{method2}作精细调整，二者组成的模型用于{task}。",
                    "建立了参数由{method}确定的模型，样本来自{count}天的观测，结果可用于{task}。",
                    "{method}与{method2}组成一个模型，用于{task}，均方根误差下降{percent}。",
                ),
            ),
        ),
        Story(
            titles=(("基于{network}的{inspection}算法",), ("面向{inspection}的{network}",)),
            tellings=(
                (
                    "针对人工{inspection}效率低的问题，设计了一种算法，在{network}中加入注意力模块以后，平均精度达到{rate}，每秒可处理{few}帧。",
                    "{inspection}算法的漏检率较高。|以{network}为骨干，重新设计了损失函数，参数量减少{percent}。",
                    "小样本条件下训练困难，是制约检测精度的主要因素。|在{network}的基础上改进采样策略，得到适用于{inspection}的算法。",
                    "基于{network}，设计了适用于{inspection}的算法，每秒可处理{few}帧，参数量减少{percent}。",
                ),
                (
                    "以{network}为骨干的算法每秒可处理{few}帧，能够满足现场{inspection}的要求。",
                    "人工效率低，漏检率高，为此设计了用于{inspection}的算法，在{network}中加入了注意力模块。",
                    "{network}中加入注意力模块，得到用于{inspection}的算法，漏检率有所下降。",
                ),
            ),
        ),
        Story(
            titles=(("基于{chip}的{monitor}设计与实现", "{monitor}的设计与实现"), ("一种{monitor}的设计",)),
            tellings=(
                (
                    "以{chip}为控制核心，完成了一套{monitor}的硬件电路和软件流程，样机连续运行{count}小时无故障。",
                    "给出了{monitor}的总体结构，完成了传感器选型、电路制作和上位机程序，成本控制在{price}元以内。",
                    "硬件部分选用{chip}，软件部分采用模块化结构，由此完成的{monitor}功耗较上一代降低{percent}。",
                    "基于{chip}完成了一套{monitor}，包括硬件电路和软件流程，样机连续运行{count}小时无故障。",
                ),
                (
                    "完成了一套{monitor}，其控制核心为{chip}，样机连续运行{count}小时无故障。",
                    "传感器选型和电路制作之后，编写了上位机程序，最终完成成本较低的{monitor}。",
                    "{chip}是所完成的{monitor}的控制核心，软件部分采用模块化结构。",
                ),
            ),
        ),
        Story(
            titles=(("{method}与{method2}在{task}中的比较",), ("{task}中{method}与{method2}的比较",)),
            tellings=(
                (
                    "选哪一种算法更合适，工程人员往往缺少依据。|在相同的数据和硬件上分别运行{method}和{method2}，考察二者用于{task}时的精度和耗时。",
                    "以{task}为例，对{method}和{method2}作了对照实验，前者精度高{percent}，后者速度快{handful}倍。",
                    "{method}和{method2}都可用于{task}，对照实验考察了二者的精度和耗时，前者精度高{percent}。",
                ),
                (
                    "对照实验在相同的硬件上进行，考察{method}和{method2}用于{task}时的优劣。",
                    "前者精度高，后者速度快，这是{method}和{method2}用于{task}时的对照结果。",
                    "{method}与{method2}在相同的硬件上运行，对照实验考察了二者用于{task}时的精度。",
                ),
            ),
        ),
    ),
    openings=(
        (
            "随着传感器成本不断下降，各行各业积累了大量数据。", "近年来，人工智能在工程中的应用日益广泛。", "实时性和准确性难以兼顾，是长期困扰工程人员的难题。",
            "现有文献多采用{method}，泛化能力有限。",
        ),
        ("数据规模的增长给传统手段带来了挑战。", "文献中常见的{method}对参数十分敏感。", "精度与效率之间的权衡值得深入讨论。", "在{place}等地的应用中，类似的需求十分普遍。"),
    ),
    details=(
        (
            "实验结果表明，准确率达到{rate}。", "与{method}相比，运行时间缩短{percent}。", "实验数据采自{place}市的{count}个站点。", "结果经过多次重复验证。",
            "仿真平台为MATLAB，重复运行{few}次取平均值。", "结果具有一定的推广价值。",
        ),
        ("在{place}市的试点中，效果令人满意。", "对比对象还有{method}等。", "在噪声较强时，准确率仍有{rate}。", "相关代码已经公开。", "计算资源有限时，优势更加明显。"),
    ),
)  # fmt: skip

FARMING = Domain(
    stories=(
        Story(
            titles=(("{treatment}对{trait}的影响",), ("{trait}对{treatment}的响应",)),
            tellings=(
                (
                    "为明确{trait}如何随{treatment}而变化，设置{handful}个水平进行盆栽试验，结果显示中等水平最为适宜。",
                    "在{place}试验站进行两年田间试验，比较了{treatment}和常规管理下的{trait}，差异达到显著水平。",
                    "测定了不同处理下的{trait}。|{treatment}的处理比对照高出{percent}，但用量过大时效果反而减弱。",
                    "{treatment}能否改变{trait}尚不清楚。|设置{handful}个水平进行盆栽试验，结果显示差异达到显著水平。",
                ),
                (
                    "设置{handful}个水平的{treatment}处理，盆栽试验结果显示，{trait}随之变化，中等水平最为适宜。",
                    "两年田间试验比较了{trait}，{treatment}的处理比对照高出{percent}。",
                    "{treatment}使{trait}随之变化，比对照高出{percent}，用量以中等水平为宜。",
                ),
            ),
        ),
        Story(
            titles=(("{cultivar}高产栽培技术",), ("{cultivar}栽培技术要点",)),
            tellings=(
                (
                    "从选地整地、适期播种、水肥管理到病虫防控，总结了{cultivar}在{place}丰收的做法。",
                    "{cultivar}在{place}的示范田里获得丰收，文中总结了播种、水肥管理和病虫防控的做法，可供农户参考。",
                    "{cultivar}要获得丰收，须做好选地整地、适期播种和病虫防控，文中总结了{place}农户的做法。",
                ),
                (
                    "示范田里的{cultivar}获得丰收，文中总结了水肥管理和病虫防控的做法。",
                    "适期播种、合理施肥，这些做法使{cultivar}在{place}获得丰收。",
                    "{cultivar}丰收的做法包括合理施肥和病虫防控，均在{place}的示范田里得到检验。",
                ),
            ),
        ),
        Story(
            titles=(("{cultivar}的选育",), ("{cultivar}选育报告",)),
            tellings=(
                (
                    "{cultivar}是经{handful}代系谱选择得到的新品种，区域试验中，平均产量比对照高{percent}，{year}年通过审定。",
                    "{place}农科所以两个地方品种为亲本杂交，经{handful}代系谱选择得到{cultivar}，该品种抗倒伏能力较强。",
                    "{cultivar}的亲本是两个地方品种，经{handful}代系谱选择得到，{year}年通过审定。",
                ),
                (
                    "{year}年通过审定的{cultivar}，经{handful}代系谱选择得到，抗倒伏能力较强。",
                    "新品种{cultivar}的亲本是两个地方品种，区域试验中产量比对照高{percent}。",
                    "{cultivar}是通过审定的新品种，区域试验中平均产量比对照高{percent}。",
                ),
            ),
        ),
        Story(
            titles=(("{place}{pest}的发生规律与防治", "{pest}的发生与防治措施"), ("{place}{pest}防治技术",)),
            tellings=(
                (
                    "{year}年起，在{place}{count}块田里定点调查{pest}，摸清其始见期、高峰期与气温的关系，并筛选出{handful}种有效药剂。",
                    "{pest}近年有加重的趋势。|分析其症状和流行原因，从轮作、种子处理、合理用药等方面提出了对策。",
                    "{place}{pest}的高峰期与气温密切相关，{count}块田的定点调查摸清了这一点，并筛选出{handful}种有效药剂。",
                ),
                (
                    "在{place}定点调查了{pest}的高峰期与气温的关系，筛选出{handful}种有效药剂。",
                    "从症状和流行原因入手，对{pest}提出了轮作、合理用药等对策。",
                    "{place}的{pest}始见期逐年提前，定点调查了{count}块田，筛选出{handful}种有效药剂。",
                ),
            ),
        ),
        Story(
            titles=(("{technique}提取{extract}的工艺优化", "{extract}的提取及抗氧化活性"), ("{extract}{technique}提取工艺研究",)),
            tellings=(
                (
                    "以得率为指标，在单因素试验的基础上用响应面法确定{technique}提取{extract}的最佳条件，得率为{percent}。",
                    "从干燥样品中提取{extract}，测定其清除DPPH自由基的能力，半数浓度为{yuan} mg/mL。",
                    "{technique}提取{extract}的得率受温度和时间影响，用响应面法确定了最佳条件，得率为{percent}。",
                ),
                (
                    "用响应面法确定了最佳条件，在此条件下，{technique}提取{extract}的得率为{percent}。",
                    "清除DPPH自由基的能力较强，说明所提取的{extract}可作天然添加剂。",
                    "{technique}提取{extract}，以得率为指标，用响应面法确定最佳条件。",
                ),
            ),
        ),
    ),
    openings=(
        (
            "我国农业正由增产导向转向提质导向。", "{place}是重要的特色农产品产区。", "农户施肥和用药习惯差异较大，生产中问题较多。", "前人对{trait}已有较多报道。",
        ),
        ("气候变化给农业生产带来了不确定性。", "在{place}等地，种植面积逐年扩大。", "优质与高产如何兼顾，是生产中的现实问题。", "{school}多年来持续关注这一课题。"),
    ),
    details=(
        (
            "试验于{year}年在{place}进行，重复3次。", "供试材料由{school}提供。", "变异系数为{handful}%。", "研究结果可为当地生产提供参考。",
            "同期试验的还有{cultivar}。", "每亩增收{count}元左右。",
        ),
        ("样品取自{place}的{few}个乡镇。", "{school}参与了检测。", "同期观测的还有{trait}。", "结果可为推广应用提供依据。", "天气因素的作用还有待观察。"),
    ),
)  # fmt: skip

MEDICINE = Domain(
    stories=(
        Story(
            titles=(("{drug}联合{drug2}治疗{disease}的疗效", "{drug}治疗{disease}{count}例疗效观察", "{drug}治疗{disease}的临床研究"), ("{drug}用于{disease}的疗效观察",)),
            tellings=(
                (
                    "将{count}例{disease}患者随机分为两组，对照组给予常规用药，观察组加服{drug}，疗程{handful}周，总有效率为{rate}。",
                    "对照组单用{drug}，观察组在此基础上加用{drug2}。|{handful}周后，观察组{disease}患者的症状积分明显低于对照组。",
                    "{disease}患者服用{drug}以后，炎症因子水平下降{percent}，未见明显不良反应。",
                    "{drug}和{drug2}合用，{handful}周后{disease}患者的症状积分明显下降，优于单用一种药物的对照组。",
                ),
                (
                    "观察组加服{drug}，总有效率为{rate}，这{count}例{disease}患者均来自同一科室。",
                    "{disease}患者分为两组，一组单用{drug}，另一组加用{drug2}，症状积分有明显差别。",
                    "{drug}组{disease}患者共{count}例，总有效率为{rate}，高于常规用药组。",
                ),
            ),
        ),
        Story(
            titles=(("{nursing}在{disease}患者中的应用效果",), ("{nursing}对{disease}患者的影响",)),
            tellings=(
                (
                    "对照组{disease}患者接受常规照护，观察组采用{nursing}，比较两组的住院时间、满意度和生活质量评分。",
                    "在{handful}个月的随访中，采用{nursing}的患者满意度达{rate}，住院时间更短，这些患者均被诊断为{disease}。",
                    "{nursing}用于{disease}患者以后，住院时间缩短{handful}天，满意度达{rate}。",
                ),
                (
                    "住院时间更短，满意度达{rate}，说明{nursing}适合{disease}患者采用。",
                    "两组{disease}患者中，观察组采用{nursing}，随访{handful}个月后比较生活质量评分。",
                    "{nursing}适合{disease}患者采用，随访{handful}个月后，生活质量评分有所提高。",
                ),
            ),
        ),
        Story(
            titles=(("{place}{disease}患病率及影响因素分析", "{disease}的危险因素分析"), ("{disease}相关危险因素的Logistic回归分析",)),
            tellings=(
                (
                    "采用Logistic回归方法，回顾性收集{count}例{disease}患者的资料，年龄、吸烟史和血脂水平进入最终模型。",
                    "整群抽取{place}{people}名居民进行问卷和体检，{disease}的检出比例为{percent}，年龄大、吸烟者更易患病。",
                    "{disease}患者{count}例的资料作了回顾性收集，Logistic回归显示年龄和吸烟史进入最终模型。",
                ),
                (
                    "年龄和吸烟史进入最终模型，{count}例{disease}患者的资料用Logistic回归方法作了回顾性分析。",
                    "检出比例为{percent}，{place}{people}名居民的体检资料说明，{disease}与吸烟有关。",
                    "{place}居民中{disease}的检出比例为{percent}，年龄大、吸烟者更易患病，样本为整群抽取的{people}人。",
                ),
            ),
        ),
        Story(
            titles=(("{imaging}与{imaging2}诊断{disease}的对比", "{imaging}对{disease}的诊断价值"), ("{imaging}在{disease}诊断中的应用",)),
            tellings=(
                (
                    "以病理结果为金标准，{imaging}检出{disease}的敏感度为{rate}，特异度较高，漏诊{few}例。",
                    "{count}例疑似{disease}的患者先后接受{imaging}和{imaging2}检查，两种检查的敏感度相差{percent}。",
                    "{imaging}检出{disease}的敏感度为{rate}，以病理结果为金标准，漏诊{few}例。",
                ),
                (
                    "漏诊{few}例，敏感度为{rate}，可见{imaging}检出{disease}的能力较强。",
                    "两种检查各有长处，{imaging}和{imaging2}对{disease}的敏感度相差{percent}。",
                    "{imaging}和{imaging2}检出{disease}的敏感度相差{percent}，均以病理结果为金标准。",
                ),
            ),
        ),
    ),
    openings=(
        (
            "目的：为临床工作提供依据。", "人口老龄化使相关患者逐年增多。", "以{hospital}{year}年收治的患者为对象。", "既往文献多关注{disease}，结论并不一致。",
        ),
        ("临床上对此尚无统一的看法。", "{hospital}每年接诊此类患者{count}例。", "本文探讨其临床意义。", "{year}年{month}起，这项工作由{hospital}牵头实施。"),
    ),
    details=(
        (
            "年龄、性别等一般资料的差异无统计学意义。", "结论：结果可供临床参考。", "所有患者均在{hospital}签署知情同意书。", "随访期间失访{few}例。",
            "合并{disease}者不纳入。", "P值小于0.05为差异有统计学意义。",
        ),
        ("排除标准为合并{disease}或其他严重疾病。", "数据由{hospital}的两名医师独立录入。", "不良反应发生率为{handful}%。", "结论：对基层有一定的参考意义。", "基线资料具有可比性。"),
    ),
)  # fmt: skip
