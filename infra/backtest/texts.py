"""What the report says, in English and simplified Chinese."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from chalicelib.program.document import Texts, localise
from infra.backtest.report import BudgetRow, Comparison, RuleRow

LOCALES: Final = {"en": "en", "zh": "zh-Hans"}
"""The report's languages, and what the programme document calls them."""

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "title": ("What the candidate would have done", "候选方案回测报告"),
    "scope": (
        "{purchases} purchases of {members} members ({source}) through two programmes",
        "以两套方案重放 {members} 名会员的 {purchases} 笔消费（{source}）",
    ),
    "today": ("today", "现行"),
    "candidate": ("candidate", "候选"),
    "change": ("change", "变化"),
    "at_a_glance": ("At a glance", "总览"),
    "issued": ("points issued", "净发放积分"),
    "earned": ("points earned", "发放积分"),
    "clawed": ("taken back by refunds", "退款扣回"),
    "expired": ("expired", "到期"),
    "redeemed": ("redeemed", "已兑换"),
    "outstanding": ("outstanding", "未用余额"),
    "balance": ("balance", "余额"),
    "cost_in": ("cost in {currency}", "成本（{currency}）"),
    "purchases_in": ("… of purchases in {currency}", "其中 {currency} 消费"),
    "cost": ("cost", "成本"),
    "of_spending": ("of spending", "占消费额"),
    "affected": (
        "{affected} purchases bring other points; {gaining} members gain, {losing} lose",
        "{affected} 笔消费的积分有变化；{gaining} 名会员增加，{losing} 名会员减少",
    ),
    "purchases_affected": ("purchases affected", "受影响消费"),
    "members_gaining": ("members who gain", "积分增加的会员"),
    "members_losing": ("members who lose", "积分减少的会员"),
    "by_rule": ("Points by rule, before refunds", "各规则积分（未计退款）"),
    "vouchers": ("vouchers given", "发放优惠券"),
    "times": ("times", "次数"),
    "cut": ("cut by caps", "上限截去"),
    "members_by_tier": ("Members by tier at the end", "期末各等级会员数"),
    "points_given": ("points given", "发放积分变化"),
    "points_by_tier": ("Points issued, by the member's tier", "各等级发放积分"),
    "tier_flows": ("Who moves between tiers", "等级变动"),
    "nobody_moves": ("Nobody ends in another tier.", "没有会员变更等级。"),
    "members": ("members", "会员"),
    "examples": ("for example", "例如"),
    "by_month": ("Month by month", "逐月"),
    "month": ("month", "月份"),
    "points_per_month": ("Points issued per month", "每月净发放积分"),
    "outstanding_per_month": ("Points outstanding at the end of each month", "各月末未用积分余额"),
    "run_off": ("When what is outstanding would expire", "余额将于何时到期"),
    "gain_most": ("Who gains most", "增加最多的会员"),
    "lose_most": ("Who loses most", "减少最多的会员"),
    "distribution": ("How much members gain or lose", "会员积分增减分布"),
    "no_difference": ("no difference", "无变化"),
    "member": ("member", "会员"),
    "tier": ("tier", "等级"),
    "purchases": ("purchases", "消费笔数"),
    "spending": ("spending", "消费额"),
    "points": ("points", "积分"),
    "budgets": ("Budgets of the candidate's campaigns", "候选方案的活动预算"),
    "awards": ("awards", "奖励次数"),
    "spent_at": ("spent", "用尽时间"),
    "by_currency": ("By currency", "按币种"),
    "notes": ("What to bear in mind", "阅读说明"),
    "language": ("language", "语言"),
    "the_numbers": ("the numbers", "数据"),
    "note_whole": (
        "Each document is replayed as if it had been in force all the time, and nobody buys otherwise because of it.",
        "两套方案均视为全程有效；不假设会员因方案不同而改变消费。",
    ),
    "note_redemptions": (
        "Nobody redeems here but those whose redemptions were recorded ({count}).",
        "只有已记录的兑换才计入（{count} 笔），不另作假设。",
    ),
    "note_cost": (
        "Cost is points issued at the redemption rate of each document; no breakage is assumed.",
        "成本＝净发放积分 × 各方案的兑换价值；不假设积分沉淀。",
    ),
    "note_no_rate": (
        "Without a redemption rate, points have no value in money.",
        "没有兑换比例，积分无法折算金额。",
    ),
    "note_refused": (
        "Refused ({code}): {today} today, {candidate} by the candidate.",
        "被拒绝（{code}）：现行 {today}，候选 {candidate}。",
    ),
    "note_unjudged": (
        "“{title}” ({document}) could not be judged fully: nothing is known of {missing}.",
        "“{title}”（{document}）未能完整判断：缺少{missing}。",
    ),
    "note_challenges": (
        "What challenges give is not replayed.",
        "挑战的奖励不在回测范围内。",
    ),
    "issued_note": ("Less what refunds took back", "已扣除退款扣回"),
    "run_off_note": (
        "Dashed: how it would expire from there, if nobody bought or redeemed any more",
        "虚线：若此后再无消费与兑换，余额将如何到期",
    ),
    "flow_note": (
        "Today on the left, the candidate on the right; green goes up, orange goes down",
        "左为现行，右为候选；绿色升级，橙色降级",
    ),
    "distribution_note": ("Members by the points that they gain or lose", "按积分增减划分的会员数"),
    "nobody": ("Nobody.", "没有。"),
    "rule": ("rule", "规则"),
    "campaign": ("campaign", "活动"),
    "currency": ("currency", "币种"),
    "birthdays": ("birthdays", "生日"),
    "tags": ("tags", "标签"),
    "segments": ("segments", "人群"),
    "channels": ("channels", "渠道"),
    "stores": ("stores", "门店"),
    "lines": ("lines of purchases", "订单明细"),
    "categories": ("categories", "品类"),
    "events": ("events", "互动事件"),
}

Say = Callable[[str], str]


def speaker(locale: str) -> Say:
    """What gives the report's own texts in `en` or `zh`."""
    place = 1 if locale == "zh" else 0
    return lambda key: TEXTS[key][place]


def localised(text: Texts, locale: str) -> str:
    """A merchant's text in one of the report's languages."""
    return localise(text, LOCALES[locale])


def plain(text: str) -> str:
    """A text that rich prints as it is."""
    return text.replace("[", "\\[")


def signed(change: int) -> str:
    """A change with its sign; 0 is ±0."""
    return "±0" if not change else f"{change:+,}".replace("-", "−")


def month(number: int) -> str:
    """A month (year x 12 + month - 1) as 2026-11."""
    return f"{number // 12}-{number % 12 + 1:02d}"


def rule_name(row: RuleRow, locale: str) -> str:
    """A rule's title, after that of its campaign."""
    title = localised(row.title, locale)
    return f"{localised(row.campaign, locale)} · {title}" if row.campaign else title


def tier_names(report: Comparison, locale: str) -> dict[str, str]:
    """The names of all tiers, by their codes."""
    return {row.code: localised(row.name, locale) for row in report.tiers}


def budget_cells(row: BudgetRow, report: Comparison) -> tuple[str, str, str]:
    """Points and awards given, of how many, and when the budget was first too low."""
    points = f"{row.points:,} / {row.limit_points:,}" if row.limit_points else f"{row.points:,}"
    awards = f"{row.awards:,} / {row.limit_awards:,}" if row.limit_awards else f"{row.awards:,}"
    spent_at = "–"
    if row.spent_at is not None:
        spent_at = datetime.fromtimestamp(row.spent_at, report.today.zone).strftime("%Y-%m-%d %H:%M")
    return points, awards, spent_at


def notes(report: Comparison, locale: str) -> Iterator[str]:
    """What a reader should bear in mind."""
    say = speaker(locale)
    yield say("note_whole")
    yield say("note_redemptions").format(count=f"{report.redemptions:,}")
    yield say("note_cost") if report.cost.candidate is not None else say("note_no_rate")
    if report.today.challenges or report.candidate.challenges:
        yield say("note_challenges")
    for code, pair in report.refused:
        yield say("note_refused").format(code=code, today=f"{pair.today:,}", candidate=f"{pair.candidate:,}")
    join = "、" if locale == "zh" else ", "
    for item in report.unjudged:
        missing = join.join(say(name) for name in item.missing)
        yield say("note_unjudged").format(
            title=localised(item.title, locale), document=say(item.document), missing=missing
        )
