"""The report's texts on the programme as a whole: its points, its surveys, its indicators."""

from __future__ import annotations

from typing import Final

from chalicelib.base.svg import Both

TEXTS: Final[dict[str, Both]] = {
    "heard": ("all answers since {since}; surveys: {surveys}", "{since} 以来全部答卷，共 {surveys} 份问卷"),
    "product": ("product", "产品"),
    "service": ("service", "服务"),
    "price": ("price", "价格"),
    "after_sales": ("after-sales", "售后"),
    "satisfied_with": ("Satisfied with {what}", "满意：{what}"),
    "redemption": ("redemption: points redeemed of those given out", "积分兑换率（当月兑换占当月发放）"),
    "complaint_rate": ("complaints of 100 purchases", "每百次消费投诉数"),
    "outside_since": ("since {since}", "自 {since} 起"),
    "held_note": (
        "Exact: all {members} members' points, as the night found them",
        "精确值：当晚全部 {members} 名会员的积分合计",
    ),
    "points_pending": ("of these pending", "其中待生效"),
    "points_held": ("of these reserved", "其中已冻结"),
    "points_owed": ("owed by members", "会员欠分"),
    "points_issued": ("given out", "发放"),
    "points_redeemed": ("redeemed", "兑换"),
    "points_expired": ("expired", "过期"),
    "opening": (
        "{points} points that members held when the history begins, on {since}, count as given out in {month}.",
        "历史自 {since} 开始；会员当时持有的 {points} 积分计为 {month} 发放。",
    ),
    "opening_later": (
        "{points} points that members held before {month}, the first month kept, count as given out in it.",
        "会员在 {month}（保存的首月）之前持有的 {points} 积分计为该月发放。",
    ),
    "breakage_never": ("none: points do not expire", "无：积分永不过期"),
    "breakage_too_young": ("told after three whole months", "满三个完整月份后显示"),
    "breakage_older": ("not to be told: all are older than points usually get", "无法估计：均已超过通常期限"),
    "breakage_inactivity": (
        "Points live on while a member is active; the estimate takes each month's for left alone, so less may expire.",
        "会员活跃时积分会延期；估计按逐月发放、未延期计算，实际过期可能更少。",
    ),
}
