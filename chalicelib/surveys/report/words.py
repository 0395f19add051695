"""What the page says, in both of its languages."""

from __future__ import annotations

from typing import Final

from chalicelib.base.svg import Both
from chalicelib.program.document.parts import Texts

WORDS: Final[dict[str, Both]] = {
    "live": ("all answers until now", "截至目前的全部回答"),
    "as_of": ("as of", "截至"),
    "nps": ("NPS", "NPS 净推荐值"),
    "csat": ("Satisfied (CSAT)", "满意度 (CSAT)"),
    "ces": ("Easy (CES)", "轻松度 (CES)"),
    "mean": ("mean", "平均"),
    "rate": ("Response rate", "回复率"),
    "answers": ("Answers", "回答"),
    "flagged": ("Left out as doubtful", "因可疑而排除"),
    "straight_lined": ("all rows alike", "各项评分相同"),
    "speeding": ("too fast", "作答过快"),
    "interval": ("95 % interval", "95 % 置信区间"),
    "of_sent": ("of invitations sent", "占已发邀请"),
    "hidden": ("fewer than 30 answers", "少于 30 份回答"),
    "hidden_too": ("hidden, or the row of too few could be told from the total", "隐藏，否则可由合计推出过少的一行"),
    "none": ("no answers", "暂无回答"),
    "scores": ("How many gave which score", "各分数的人数"),
    "detractors": ("Detractors, 0–6", "贬损者 0–6"),
    "passives": ("Passives, 7–8", "中立者 7–8"),
    "promoters": ("Promoters, 9–10", "推荐者 9–10"),
    "trend": ("Month by month", "逐月走势"),
    "trend_note": (
        "The band is the 95 % interval. A dashed line is a month from which on the score is another one.",
        "色带为 95 % 置信区间；虚线标出得分发生变化的月份。",
    ),
    "changed": ("from {month}: {before} → {after} ({difference})", "{month} 起：{before} → {after}（{difference}）"),
    "unchanged": ("No change that chance alone would not make.", "没有超出随机波动的变化。"),
    "dimensions": ("By dimension", "按维度"),
    "dimensions_note": (
        "The share of 4 and 5 of 5; the line is the 95 % interval.",
        "评 4 分和 5 分的占比；横线为 95 % 置信区间。",
    ),
    "texts": ("Texts", "文字反馈"),
    "ratings": ("Ratings", "评分数"),
    "drivers": ("What moves NPS", "影响 NPS 的因素"),
    "drivers_note": (
        "Parts of what explains NPS, in percent; all explain {explained} % of how it varies, by {n} answers.",
        "各维度在 NPS 可解释部分中的占比；合计解释其变化的 {explained} %，基于 {n} 份回答。",
    ),
    "no_drivers": (
        "Too few answers rate the dimensions together with NPS: it takes 100.",
        "同时评价各维度与 NPS 的回答不足 100 份，尚无法判断。",
    ),
    "share": ("Part", "占比"),
    "effect": ("NPS points per step of five", "每提高一级的 NPS 变化"),
    "mean_score": ("Mean score of 100", "平均得分（百分制）"),
    "tier": ("By tier", "按会员等级"),
    "segment": ("By segment", "按客群"),
    "channel": ("By channel", "按渠道"),
    "store": ("By store", "按门店"),
    "language": ("By language", "按语言"),
    "overlap": ("A member may be in several segments.", "一位会员可属于多个客群。"),
    "more": ("and {count} more, in the table", "另有 {count} 项，见表格"),
    "unknown": ("not known", "未知"),
    "others": ("all others", "其他"),
    "funnel": ("From invitation to answer", "从邀请到回答"),
    "sent": ("Invitations sent", "已发邀请"),
    "answered": ("of these answered", "其中已回答"),
    "came_in": ("All answers, invited or not", "全部回答（含未受邀）"),
    "sound": ("of these counted", "其中计入统计"),
    "questions": ("Question by question", "逐题结果"),
    "numbers": ("Numbers", "数据"),
    "month": ("Month", "月份"),
    "row": ("Row", "项目"),
    "value": ("Value", "数值"),
    "count": ("Count", "人数"),
    "score": ("Score", "得分"),
    "difference": ("Difference", "差异"),
    "notes": ("How it is reckoned", "计算方法"),
    "note_nps": (
        "NPS: promoters less detractors; CSAT: the share of 4 and 5 of 5; CES: that of 5 to 7 of 7.",
        "NPS 为推荐者占比减去贬损者占比；CSAT 为 5 分制中 4、5 分的占比；CES 为 7 分制中 5 至 7 分的占比。",
    ),
    "note_hidden": (
        "Nothing is shown of fewer than 30 answers, nor what would give such a row away.",
        "少于 30 份回答的数据不显示，能推算出它们的数据也不显示。",
    ),
    "note_changes": (
        "Changes: binary segmentation with a corrected two-sample test; at most one steady series in twenty shows one.",
        "变化以二元分割法配合校正后的双样本检验判定；未变化的序列被误判的概率不超过二十分之一。",
    ),
    "note_drivers": (
        "Parts are those of Lindeman, Merenda and Gold: a dimension's gain in R², averaged over all orders.",
        "占比采用 Lindeman、Merenda 与 Gold 的方法：各维度对 R² 的增量在所有次序上的平均。",
    ),
    "note_flagged": (
        "Answers that are straight-lined or too fast are left out of everything but their own figure.",
        "评分全部相同或作答过快的回答只在单独一栏中显示。",
    ),
    "app": ("app", "应用"),
    "link": ("link", "链接"),
    "phone": ("phone", "电话"),
    "paper": ("paper", "纸质"),
    "import": ("import", "导入"),
    "product": ("Product", "产品"),
    "service": ("Service", "服务"),
    "price": ("Price", "价格"),
    "after_sales": ("After-sales", "售后"),
    "other": ("Other", "其他"),
}


def key(name: str) -> Both:
    """One of the page's own texts in both languages."""
    return WORDS[name]


def filled(name: str, **values: str) -> Both:
    """One of the page's texts with values in it."""
    english, chinese = WORDS[name]
    return english.format(**values), chinese.format(**values)


def both(texts: Texts) -> Both:
    """A text of the merchant's."""
    return texts.en, texts.zh_hans


def signed(value: float) -> str:
    """A score or a difference with its sign, as a typographer sets it."""
    shown = f"{abs(value):.1f}".removesuffix(".0")
    return f"−{shown}" if value < 0 and shown != "0" else shown


def plus(value: float) -> str:
    """A difference with its sign in any case."""
    return signed(value) if value < 0 else f"+{signed(value)}"
