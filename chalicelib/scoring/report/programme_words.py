"""The report's texts on the programme as a whole: its points, its surveys, its indicators."""

from __future__ import annotations

from typing import Final

from chalicelib.base.svg import Both

TEXTS: Final[dict[str, Both]] = {
    "heard": ("all answers since {since}; surveys: {surveys}", "{since} 以来全部答卷，共 {surveys} 份问卷"),
    "satisfied_with": ("Satisfaction by dimension", "分维度满意度"),
    "with_product": ("Satisfied with the product", "产品满意度"),
    "with_service": ("Satisfied with the service", "服务满意度"),
    "with_price": ("Satisfied with the price", "价格满意度"),
    "with_after_sales": ("Satisfied with after-sales", "售后满意度"),
    "between_people": ("95% between {low} and {high}, {n} people", "95% 区间 {low} 至 {high}，{n} 人"),
    "redemption": ("points redeemed of those given out", "积分兑换率（当月兑换占发放）"),
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
        "{points} points were held when the history begins, on {since}: the estimate takes them for given in {month}.",
        "历史自 {since} 开始：会员当时持有 {points} 积分，估计时视为 {month} 发放。",
    ),
    "opening_later": (
        "{points} points were held before {month}, the first month kept: the estimate takes them for given in it.",
        "{month}（保存的首月）之前会员持有 {points} 积分，估计时视为该月发放。",
    ),
    "breakage_never": ("none: points do not expire", "无：积分永不过期"),
    "breakage_too_young": ("told after three whole months", "满三个完整月份后显示"),
    "breakage_older": ("not to be told: all are older than points usually get", "无法估计：均已超过通常期限"),
    "breakage_inactivity": (
        "Points live on while a member is active; the estimate takes them for left alone, so less may expire.",
        "会员活跃时积分会延期；估计按逐月发放、未延期计算，实际过期可能更少。",
    ),
}
