"""What scoring's codes mean in words, in English and in simplified and traditional Chinese."""

from __future__ import annotations

from typing import Final, TypeAlias

Words: TypeAlias = dict[str, tuple[str, str, str]]
"""Texts by code: en, zh-Hans, zh-Hant."""

LOCALES: Final = ("en", "zh-Hans", "zh-Hant")

VALUES: Final[Words] = {
    "low": ("low value", "低价值", "低價值"),
    "mid": ("mid value", "中价值", "中價值"),
    "high": ("high value, at risk", "高价值·有流失风险", "高價值·有流失風險"),
    "gold": ("gold: high value and staying", "黄金会员：高价值且稳定", "黃金會員：高價值且穩定"),
}
BEHAVIOURS: Final[Words] = {
    "none": ("no purchase yet", "尚未消费", "尚未消費"),
    "new": ("new", "新会员", "新會員"),
    "active": ("active", "活跃", "活躍"),
    "at_risk": ("at risk", "有流失风险", "有流失風險"),
    "lapsed": ("lapsed", "已流失", "已流失"),
    "won_back": ("won back", "已召回", "已召回"),
}
STAGES: Final[Words] = {
    "prospect": ("prospect", "潜在", "潛在"),
    "onboarding": ("onboarding", "引入期", "引入期"),
    "growing": ("growing", "成长期", "成長期"),
    "mature": ("mature", "成熟期", "成熟期"),
    "declining": ("declining", "衰退期", "衰退期"),
    "dormant": ("dormant", "沉睡期", "沉睡期"),
    "reactivated": ("reactivated", "重新激活", "重新啟用"),
}
LOYALTY: Final[Words] = {
    "undetermined": ("undetermined", "未判定", "未判定"),
    "impulse": ("impulse: comes for the price", "冲动型：为优惠而来", "衝動型：為優惠而來"),
    "emotional": ("emotional: likes the brand", "情感型：认同品牌", "情感型：認同品牌"),
    "cognitive": ("cognitive: knows what the programme is worth", "认知型：看重会员权益", "認知型：看重會員權益"),
    "behavioural": ("behavioural: buys out of habit", "行为型：习惯性回购", "行為型：習慣性回購"),
}
PARTS: Final[Words] = {
    "staying": ("likely to buy within 91 days", "91 天内很可能再次消费", "91 天內很可能再次消費"),
    "value": ("12-month value among the others'", "未来 12 个月价值在会员中的位置", "未來 12 個月價值在會員中的位置"),
    "frequency": ("how often they buy", "消费频率", "消費頻率"),
    "trend": ("buying more, or less, than before", "近期消费的增减趋势", "近期消費的增減趨勢"),
    "engagement": ("activity beside buying", "消费以外的互动", "消費以外的互動"),
    "nps": ("would recommend", "推荐意愿", "推薦意願"),
    "csat": ("satisfaction", "满意度", "滿意度"),
    "advocacy": ("friends brought and reviews written", "推荐好友与评价", "推薦好友與評價"),
}
LIFTS: Final[Words] = {
    "staying": ("Expected back soon", "近期很可能再来", "近期很可能再來"),
    "value": ("Worth more than most over the next year", "未来一年价值高于多数会员", "未來一年價值高於多數會員"),
    "frequency": ("Buys more often than most", "消费比多数会员频繁", "消費比多數會員頻繁"),
    "trend": ("Buys more than three months ago", "消费比三个月前增多", "消費比三個月前增多"),
    "engagement": ("Takes part beside buying", "消费之外也积极互动", "消費之外也積極互動"),
    "nps": ("Would recommend you", "愿意推荐", "願意推薦"),
    "csat": ("Is satisfied", "满意度高", "滿意度高"),
    "advocacy": ("Brings friends and writes reviews", "推荐好友并撰写评价", "推薦好友並撰寫評價"),
}
HOLDS: Final[Words] = {
    "staying": ("Not expected back soon", "近期不太会再来", "近期不太會再來"),
    "value": ("Worth less than most over the next year", "未来一年价值低于多数会员", "未來一年價值低於多數會員"),
    "frequency": ("Buys less often than most", "消费频率低于多数会员", "消費頻率低於多數會員"),
    "trend": ("Buys less than three months ago", "消费比三个月前减少", "消費比三個月前減少"),
    "engagement": ("Does little beside buying", "消费之外很少互动", "消費之外很少互動"),
    "nps": ("Would not recommend you", "不愿推荐", "不願推薦"),
    "csat": ("Is not satisfied", "满意度低", "滿意度低"),
    "advocacy": ("Brings no friends and writes no reviews", "未推荐好友、未撰写评价", "未推薦好友、未撰寫評價"),
}
CHURN_REASONS: Final[Words] = {
    "none": ("no reason to worry", "暂无流失风险", "暫無流失風險"),
    "unhappy": ("unhappy by their own answer", "近期评价不满意", "近期評價不滿意"),
    "never_returned": ("never came back after the first purchase", "首次消费后未再回来", "首次消費後未再回來"),
    "silent_too_long": ("silent for longer than is usual for them", "沉默时间超出其平常间隔", "沉默時間超出其平常間隔"),
    "buying_less": ("buys clearly less than before", "消费明显减少", "消費明顯減少"),
    "buys_seldom": ("buys seldom anyway", "本来就很少消费", "本來就很少消費"),
}
ACTIONS: Final[Words] = {
    "first_purchase": ("Invite to a first purchase", "邀请首次消费", "邀請首次消費"),
    "second_purchase": (
        "Welcome, and give a reason for a second purchase",
        "欢迎并引导第二次消费",
        "歡迎並引導第二次消費",
    ),
    "recover_service": ("Ask what went wrong, and put it right", "了解不满并补救", "了解不滿並補救"),
    "call_personally": ("Get in touch in person", "专人关怀联系", "專人關懷聯繫"),
    "remind": ("Send a reminder", "发送提醒", "發送提醒"),
    "win_back": ("Make an offer to come back", "发放召回优惠", "發放召回優惠"),
    "leave_alone": (
        "Leave alone: an offer would cost more than it brings",
        "暂不投入：成本高于收益",
        "暫不投入：成本高於收益",
    ),
    "thank_for_return": ("Thank for coming back", "感谢回归", "感謝回歸"),
    "honour": (
        "Honour: early access, a personal thank-you",
        "尊享礼遇：优先购与专属致谢",
        "尊享禮遇：優先購與專屬致謝",
    ),
    "invite_friends": ("Invite to bring friends", "邀请推荐好友", "邀請推薦好友"),
    "widen_basket": ("Show what goes with what they buy", "推荐搭配商品", "推薦搭配商品"),
    "give_a_reason": ("Give a reason for the next visit", "提供下次到店理由", "提供下次到店理由"),
}
ALERTS: Final[Words] = {
    "churn": ("more likely to stay away than to come", "流失概率过半", "流失機率過半"),
    "overdue": ("overdue: silent for much too long", "逾期未消费", "逾期未消費"),
    "slowing": ("buys far less often than before", "消费频率骤降", "消費頻率驟降"),
    "fluctuation": ("a basket out of the ordinary", "单笔金额异常", "單筆金額異常"),
    "expiring": ("many points expire soon", "大量积分即将到期", "大量積分即將到期"),
}
PERSONAS: Final[Words] = {
    "regulars": ("Regulars", "忠实常客", "忠實常客"),
    "rising": ("On the rise", "上升期会员", "上升期會員"),
    "cooling": ("Cooling down", "降温会员", "降溫會員"),
    "big_spenders": ("Big baskets", "高客单会员", "高客單會員"),
    "frequent": ("Often, a little", "高频小额会员", "高頻小額會員"),
    "newcomers": ("Newcomers", "新近会员", "新近會員"),
    "occasional": ("Now and then", "偶尔消费", "偶爾消費"),
    "middle": ("In the middle", "中坚会员", "中堅會員"),
    "fading": ("Fading regulars", "渐行渐远的常客", "漸行漸遠的常客"),
    "lost_spenders": ("Big baskets, gone", "已离开的高客单", "已離開的高客單"),
    "lost": ("Gone", "已离开", "已離開"),
}


def word(words: Words, code: str, locale: str = "en") -> str:
    """A code in one of the three languages, English where it is another one."""
    return words[code][LOCALES.index(locale) if locale in LOCALES else 0]
