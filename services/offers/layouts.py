"""The sheet that offers reads and writes."""

from shared.sheets import Choice, Column, Layout

CHARITY_KIND = (
    Choice("charity", "慈善组织", "Charity"),
    Choice("company", "企业", "Company"),
    Choice("volunteer_team", "志愿队", "Volunteer team"),
)
PICKUP = (Choice("delivery", "送货上门", "Delivered"), Choice("self_pickup", "自提", "Picked up"))
CONDITION = (Choice("new", "全新", "New"), Choice("used", "二手", "Used"))

OFFERS = Layout(
    "offers",
    "资源",
    "Offers",
    (
        Column(
            "offer_number", "资源编号", "Offer number", required=True, longest=40,
            help="同一机构内不可重复；同一编号再次导入会更新原来的资源",
            help_en="Unique within the charity; the same number imported again changes the offer",
        ),
        Column("charity", "机构名称", "Charity", required=True, longest=60, help="公开的机构全名", help_en="The organisation's full public name"),
        Column("charity_kind", "机构类型", "Kind of charity", "choice", required=True, choices=CHARITY_KIND),
        Column("category", "类别", "Category", "category", required=True, help="类别名称或代码，例如 电风扇", help_en="Name or code, for example Electric fan"),
        Column("quantity", "数量", "Quantity", "int", required=True, least=1, help="按类别的单位，现金以元计", help_en="In the category's unit, cash in yuan"),
        Column("origin_area", "所在地", "Origin", "area", required=True, help="货物或队伍在哪里，县区或镇街", help_en="Where the goods or the team are"),
        Column(
            "service_areas", "服务范围", "Service areas", "areas",
            help="可以送到的市、县区或镇街，多项用分号隔开；空着表示所在的县区",
            help_en="City, counties or towns served, separated by semicolons; empty means the county of the origin",
        ),
        Column("radius_km", "半径(公里)", "Radius (km)", "int", least=1, most=500, help="从所在地算起，空着表示不限", help_en="From the origin; empty means no limit"),
        Column("pickup", "方式", "Handover", "choice", required=True, choices=PICKUP),
        Column("available_from", "开始日期", "From", "date"),
        Column("available_until", "结束日期", "Until", "date", help="含当天", help_en="That day included"),
        Column("expires_on", "保质期至", "Expires on", "date", help="食品、药品必填", help_en="Needed for food and medicine"),
        Column(
            "designated", "定向对象", "Designated for", "vulnerabilities",
            help="捐赠人指定的对象类别，多项用分号隔开，符合一项即可（慈善法第56条）；空着表示不限",
            help_en="Whom the donor gave for; one of them is enough (Charity Law art. 56); empty means everyone",
        ),
        Column("licences", "持证", "Licences", "licences", help="例如 低压电工作业证；需持证的服务没有证不能匹配", help_en="Work that needs a licence is not matched without it"),
        Column("vetted", "已背景核查", "Vetted", "bool", help="为未成年人服务的人员已做背景核查", help_en="Background checks are on file for work with minors"),
        Column("per_household_limit", "每户上限", "Limit per household", "int", least=1),
        Column(
            "per_day_limit", "每天上限", "Limit per day", "int", least=1,
            help="一天最多能给出多少，例如咨询师一天 6 小时；空着表示不限",
            help_en="What can be handed over in a day, such as a counsellor's 6 hours; empty means no limit",
        ),
        Column("unit_value_yuan", "单价(元)", "Unit value (yuan)", "decimal", least=0, help="用于折价统计，最多两位小数", help_en="For statistics; two decimals at most"),
        Column("condition", "新旧", "Condition", "choice", choices=CONDITION, help="空着表示全新", help_en="Empty means new"),
    ),
)  # fmt: skip
