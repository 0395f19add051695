"""The report's own texts, in English and simplified Chinese."""

from __future__ import annotations

from typing import Final

from chalicelib.base.svg import Both
from chalicelib.scoring import texts
from chalicelib.scoring.report import programme_words

TEXTS: Final[dict[str, Both]] = programme_words.TEXTS | {
    "title": ("Loyalty report", "会员忠诚度报告"),
    "scope": (
        "{members} members, {purchases} purchase days since {first_day}; as of {until}, compared with {compared_with}",
        "截至 {until}：{members} 名会员，自 {first_day} 起 {purchases} 个消费日；与 {compared_with} 相比",
    ),
    "theme": ("appearance", "外观"),
    "auto": ("Auto", "自动"),
    "light": ("Light", "浅色"),
    "dark": ("Dark", "深色"),
    "indicators": ("The five indicators", "五大指标"),
    "satisfaction": ("Satisfaction", "满意度"),
    "behaviour": ("Loyal behaviour", "忠诚行为"),
    "retention": ("Retention", "留存率"),
    "lifetime": ("Lifetime value", "会员生命周期价值"),
    "together": ("Satisfaction and loyalty", "满意度与忠诚度相关性"),
    "no_data": ("no data yet", "暂无数据"),
    "no_answers": ("30 survey answers are needed", "需要至少 30 份问卷"),
    "no_pairs": ("appears with the first survey answers", "有问卷结果后显示"),
    "nps": ("net promoter score", "净推荐值 NPS"),
    "csat": ("satisfied", "满意"),
    "ces": ("found it easy", "认为轻松"),
    "between": ("95% between {low} and {high}, {n} answers", "95% 区间 {low} 至 {high}，{n} 份"),
    "between_members": ("95% between {low} and {high}, {n} members", "95% 区间 {low} 至 {high}，{n} 名会员"),
    "repeat_rate": ("came back after their first purchase", "首购后再次消费"),
    "retention_note": (
        "bought in the last 91 days, of those who did in the 91 before",
        "前 91 天消费者中，近 91 天仍有消费",
    ),
    "value_mean": ("a member, over the next 12 months", "人均未来 12 个月价值"),
    "value_total": (
        "{total} together; {purchases} purchases expected in 91 days",
        "合计 {total}；预计 91 天内消费 {purchases} 次",
    ),
    "mean_score": ("mean score {score} of 100", "平均得分 {score}（满分 100）"),
    "where": ("Where members are", "会员分布"),
    "where_note": ("By behaviour; the share of 12-month value below", "按行为分群；下方为未来 12 个月价值占比"),
    "by_behaviour": ("Behaviour", "行为分群"),
    "by_value": ("Value segment", "价值分群"),
    "value_held": ("12-month value", "12 个月价值"),
    "by_stage": ("Stage of life", "生命周期"),
    "by_loyalty": ("Kind of loyalty", "忠诚类型"),
    "flows": ("Who went where in 91 days", "91 天内的分群流动"),
    "flows_note": (
        "{compared_with} on the left, {until} on the right; green is better, orange worse",
        "左为 {compared_with}，右为 {until}；绿色为好转，橙色为恶化",
    ),
    "not_there": ("not there yet", "尚未加入"),
    "gold": ("gold", "黄金"),
    "high": ("high", "高"),
    "mid": ("mid", "中"),
    "low": ("low", "低"),
    "since": ("Since last night", "昨夜以来"),
    "since_title": ("Who moved since {day}", "自 {day} 以来的变化"),
    "since_note": (
        "Of {members} members {behaviour} moved by behaviour and {value} by value, {came} are new; these are shown",
        "{members} 名会员中，行为分群变动 {behaviour} 名，价值分群变动 {value} 名，新会员 {came} 名；图中为变动会员",
    ),
    "stayed": ("{count} stayed", "{count} 名未变"),
    "segments": ("segments", "分群"),
    "care": ("The coming two weeks", "未来两周关怀日历"),
    "care_note": (
        "{first} to {last}: who is to be thought of; by name in care.csv",
        "{first} 至 {last}：值得关怀的会员；名单见 care.csv",
    ),
    "care_birthday": ("birthdays", "生日"),
    "care_anniversary": ("anniversaries of joining", "入会周年"),
    "care_expiring": ("points expire", "积分到期"),
    "care_tier_ending": ("a tier is lost", "等级到期"),
    "care_points": ("{points} points", "{points} 积分"),
    "points_expiring": ("points that expire", "到期积分"),
    "day": ("day", "日期"),
    "no_occasions": ("Nothing in the coming two weeks.", "未来两周暂无事项。"),
    "first_night": (
        "There is no night before this one. From the next one on, this shows who moved from which segment to which.",
        "尚无前一夜可比；自下一夜起，此处显示会员在各分群之间的变动。",
    ),
    "nobody_moved": ("Nobody moved.", "无人变动。"),
    "moved_from": ("from", "从"),
    "moved_to": ("to", "到"),
    "since_day": ("since {day}", "自 {day} 以来"),
    "pareto": ("Who brings the revenue", "收入由谁带来"),
    "pareto_note": (
        "The top 20% hold {top} of all spending; 80% of it comes from {holders} of members",
        "前 20% 会员贡献 {top} 的消费；80% 的消费来自 {holders} 的会员",
    ),
    "top_share": ("top 20%: {top}", "前 20%：{top}"),
    "share_members": ("share of members, best first", "会员占比（由高到低）"),
    "share_spending": ("share of spending", "消费占比"),
    "equal": ("if all spent alike", "若人人相同"),
    "scores": ("Scores", "得分分布"),
    "scores_note": ("Members by composite score, 0 to 100", "按综合得分（0–100）统计会员数"),
    "rfm": ("Recency and frequency", "近度与频度"),
    "rfm_note": (
        "Members in each field; the darker, the more they are worth over 12 months",
        "格内为会员数；颜色越深，12 个月价值越高",
    ),
    "recent": ("recent", "近期"),
    "long_ago": ("long ago", "很久以前"),
    "often": ("often", "频繁"),
    "seldom": ("seldom", "很少"),
    "worth": ("mean 12-month value", "人均 12 个月价值"),
    "prediction": ("How good the last prediction was", "上次预测的准确度"),
    "prediction_note": (
        "Made on {compared_with} for the 91 days since: ten groups by predicted chance of buying",
        "{compared_with} 对其后 91 天的预测：按预测购买概率分为十组",
    ),
    "predicted": ("predicted", "预测"),
    "happened": ("bought", "实际"),
    "auc_words": (
        "Of a buyer and a non-buyer, the buyer was ranked higher in {auc} of cases",
        "随机取一名购买者与一名未购买者，{auc} 的情况下前者排名更高",
    ),
    "bias_words": ("purchases were overestimated by {bias}", "消费次数高估 {bias}"),
    "bias_low_words": ("purchases were underestimated by {bias}", "消费次数低估 {bias}"),
    "layer_chance": (
        "The chance is corrected by recent purchases: Brier {model} by the model alone, {layer} with the correction",
        "购买概率按近期消费校正：模型本身 Brier {model}，校正后 {layer}",
    ),
    "layer_number": (
        "So is the number of purchases: mean error {model} by the model alone, {layer} with the correction",
        "消费次数同样校正：模型本身平均误差 {model}，校正后 {layer}",
    ),
    "layer_number_alone": (
        "The number of purchases is the model's own: a correction did not make it better",
        "消费次数采用模型本身的结果：校正并未更准",
    ),
    "layer_not_better": (
        "The model stands alone: correcting it by recent purchases is no better beyond chance (Brier {model}, {layer})",
        "未启用校正：按近期消费校正并未显著更准（Brier {model}，校正后 {layer}）",
    ),
    "layer_ranks_worse": (
        "The model stands alone: correcting it by recent purchases ranks members worse (AUC {model}, {layer})",
        "未启用校正：按近期消费校正后排序变差（AUC {model}，校正后 {layer}）",
    ),
    "layer_too_young": (
        "The model stands alone: for a correction, members must have bought 182 days ago",
        "未启用校正：需要 182 天前已有消费的会员",
    ),
    "layer_too_few_members": (
        "The model stands alone: for a correction, 300 members must have bought 182 days ago",
        "未启用校正：182 天前已消费的会员需至少 300 名",
    ),
    "layer_too_few_outcomes": (
        "The model stands alone: for a correction, 30 members must have bought again and 30 must not",
        "未启用校正：再次消费与未再消费的会员各需至少 30 名",
    ),
    "cohorts": ("Do they come back?", "他们会回来吗？"),
    "cohorts_note": (
        "By month of first purchase: the share who bought in each month after it",
        "按首购月份：其后各月仍有消费的会员占比",
    ),
    "cohort": ("first purchase", "首购月份"),
    "months_after": ("months after the first purchase", "首购后第几个月"),
    "months": ("Month by month", "逐月"),
    "months_note": ("Purchase days of members who had bought before, and of new ones", "老会员与新会员的消费日数"),
    "returning_members": ("who had bought before", "老会员"),
    "new_members": ("new members", "新会员"),
    "month": ("month", "月份"),
    "purchases": ("purchases", "消费次数"),
    "spending": ("spending", "消费额"),
    "basket": ("mean basket", "平均客单"),
    "personas": ("Personas", "会员画像"),
    "personas_note": ("Groups of members who are alike, found by the machine", "由算法聚类得到的相似会员群"),
    "recency": ("recency", "近度"),
    "frequency": ("frequency", "频度"),
    "monetary": ("spending", "消费额"),
    "trend": ("trend", "趋势"),
    "members": ("members", "会员"),
    "member": ("member", "会员"),
    "each": ("{value} each over 12 months", "人均 12 个月价值 {value}"),
    "calls": ("Whom to look after first", "优先关怀名单"),
    "calls_note": ("At risk, and worth most if they stay", "有流失风险、且留住后价值最高的会员"),
    "at_stake": ("at stake", "可挽回价值"),
    "silent": ("silent for", "沉默天数"),
    "days": ("{days} days", "{days} 天"),
    "churn": ("stays away", "流失概率"),
    "why": ("why", "原因"),
    "what_to_do": ("what to do", "建议"),
    "alerts": ("Alerts of the last seven days", "近七天预警"),
    "alert": ("alert", "预警"),
    "nobody": ("Nobody.", "没有。"),
    "risers": ("Rising most", "上升最快"),
    "fallers": ("Falling most", "下降最快"),
    "score": ("score", "得分"),
    "because": ("above all", "主要因素"),
    "warnings": ("Indicators against their past", "指标波动监测"),
    "warnings_note": (
        "By whole months; the band is where the smoothed level (dot) should be",
        "按完整月份；平滑值（圆点）应在阴影范围内",
    ),
    "within": ("within {low} to {high}", "在 {low} 至 {high} 之内"),
    "too_short": ("Eight whole months are needed.", "需要至少八个完整月份。"),
    "rising": ("rising: {level}, outside {low} to {high}", "上升：{level}，超出 {low} 至 {high}"),
    "falling": ("falling: {level}, outside {low} to {high}", "下降：{level}，超出 {low} 至 {high}"),
    "points": ("Points outstanding", "未用积分"),
    "points_note": ("share of what is outstanding", "占未用积分"),
    "outstanding": ("outstanding", "未用"),
    "breakage": ("expected never to be used", "预计永不使用"),
    "redeemed_share": (
        "of all points issued, {rate} are redeemed in the end",
        "全部发放积分中，最终约 {rate} 会被兑换",
    ),
    "hazards": ("Chance of use by age in months", "各月龄的兑换概率"),
    "fit": ("Parameters and fit", "参数与拟合"),
    "parameter": ("parameter", "参数"),
    "estimate": ("estimate", "估计值"),
    "error": ("standard error", "标准误"),
    "log_likelihood": ("log-likelihood {value}, {n} members", "对数似然 {value}，{n} 名会员"),
    "fitted": ("fitted to these members", "由这些会员拟合"),
    "kept": ("kept from an earlier night", "沿用此前参数"),
    "default": ("a default, at these members' own pace", "默认参数，按本会员群节奏调整"),
    "refused": ("Tonight's fit was refused: {why}.", "本次拟合未被采用：{why}。"),
    "too_few_members": ("too few members came back", "复购会员过少"),
    "all_alike": ("all spend alike", "消费额完全相同"),
    "no_convergence": ("the search did not end", "搜索未收敛"),
    "at_the_edge": ("a parameter ran off to its edge", "参数到达边界"),
    "less_likely": ("it explains the data less well than the one in use", "解释力不及现用参数"),
    "jumped": ("parameters jumped by more than five standard errors", "参数跳变超过五倍标准误"),
    "the_numbers": ("the numbers", "数据"),
    "notes": ("How to read this", "阅读说明"),
    "note_churn": (
        "“Stays away” is the chance of no purchase within 91 days. It does not say that somebody has gone for good.",
        "“流失概率”指未来 91 天内不消费的概率，并不等于永久流失。",
    ),
    "note_value": (
        "12-month value is margin ({margin}) × expected purchases × expected basket, discounted by {discount} a year.",
        "12 个月价值＝毛利率（{margin}）× 预计消费次数 × 预计客单，年折现率 {discount}。",
    ),
    "note_cut": (
        "Purchases before {first_day} are not known: members who were there earlier count as new then.",
        "{first_day} 之前的消费未知，此前已有的会员会被视为当时新加入。",
    ),
    "note_correlation": (
        "Spending per purchase and frequency correlate by {value}; the model of spending supposes none.",
        "客单与频度的相关系数为 {value}；消费模型假设两者无关。",
    ),
    "note_loyalty": (
        "The kind of loyalty is a convention, not a measurement; without surveys most stay undetermined.",
        "忠诚类型是一种约定分类而非测量；缺少问卷与优惠数据时多为“未判定”。",
    ),
    "note_later": ("{count} rows after that day were left out.", "该日之后的 {count} 行未计入。"),
    "note_unmatched": (
        "{count} refunds were of more than the customer had bought until then; the rest of them was left out.",
        "{count} 笔退款超过客户此前的消费，超出部分未计入。",
    ),
    "note_strangers": (
        "{count} survey answers were of customers without purchases.",
        "{count} 份问卷来自没有消费记录的客户。",
    ),
}


def key(name: str) -> Both:
    """One of the report's own texts in both languages."""
    return TEXTS[name]


def filled(name: str, **values: str) -> Both:
    """A text with values that read the same in both languages."""
    en, zh = TEXTS[name]
    return en.format(**values), zh.format(**values)


def of(words: texts.Words, code: str) -> Both:
    """A code of the engine in both languages of the report."""
    if code not in words:
        return "–", "–"
    return words[code][0], words[code][1]
