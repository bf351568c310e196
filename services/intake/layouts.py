"""The sheets that intake reads and writes: households with their members, and needs."""

from shared.sheets import Choice, Column, Layout

CONSENT = (Choice("given", "同意", "Given"), Choice("refused", "不同意", "Refused"))
# GB/T 2261.1
SEX = (Choice("1", "男", "Male"), Choice("2", "女", "Female"))
URGENCY = (
    Choice("critical", "危急", "Critical"),
    Choice("high", "紧急", "High"),
    Choice("normal", "一般", "Normal"),
    Choice("low", "可缓", "Low"),
)
BENEFICIARY_KIND = (
    Choice("household", "家庭", "Household"),
    Choice("site", "场所", "Site"),
    Choice("institution", "机构", "Institution"),
    Choice("group", "群体", "Group"),
    Choice("station", "社工站", "Station"),
)

HOUSEHOLDS = Layout(
    "households",
    "户档案",
    "Households",
    (
        Column(
            "case_number", "档号", "Case number", required=True, longest=40,
            help="一户一个档号，例如 YF-445381100-0001；一个成员一行，同一户各行的档号、地址等户信息要相同",
            help_en="One per household; one row per member, and the household's columns alike on all of its rows",
        ),
        Column(
            "area", "镇街", "Town", "area", required=True,
            help="县区加镇街全名，例如 罗定市罗镜镇；太平镇等重名的必须写明县区",
            help_en="County and town; needed in full where two towns share a name",
        ),
        Column("village", "村居", "Village", longest=60, help="个人信息，只给本镇街社工看", help_en="Personal: seen by the town's workers only"),
        Column("address", "地址", "Address", longest=200, help="个人信息，只给本镇街社工看", help_en="Personal: seen by the town's workers only"),
        Column("phone", "电话", "Phone", longest=30, help="个人信息；按文本填写", help_en="Personal; written as text"),
        Column(
            "vulnerabilities", "户类别", "Household categories", "vulnerabilities",
            help="整户的困难类别，例如 最低生活保障对象；多项用分号隔开",
            help_en="Categories of the household as a whole, separated by semicolons",
        ),
        Column(
            "consent", "同意", "Consent", "choice", required=True, choices=CONSENT,
            help="是否同意为获得帮助而向捐赠方提供必要信息（个人信息保护法第29条）",
            help_en="Whether what a donor needs may be shared with one (Personal Information Protection Law art. 29)",
        ),
        Column("consent_on", "同意日期", "Consent date", "date", help="填“同意”时必填", help_en="Needed where consent is given"),
        Column(
            "consent_by_guardian", "监护人同意", "Guardian's consent", "bool",
            help="有未满十四岁的成员时必须为是（个人信息保护法第31条）",
            help_en="Must be yes when a member is under fourteen (Personal Information Protection Law art. 31)",
        ),
        Column("member_name", "姓名", "Name", required=True, longest=60, help="个人信息", help_en="Personal"),
        Column("relation", "与户主关系", "Relation", longest=30, help="例如 户主、配偶、子女、孙子女", help_en="For example head, spouse, child"),
        Column("birth_date", "出生日期", "Birth date", "date", help="个人信息；用来判断是否未成年", help_en="Personal; tells who is a minor"),
        Column("sex", "性别", "Sex", "choice", choices=SEX, help="按 GB/T 2261.1", help_en="As in GB/T 2261.1"),
        Column(
            "id_number", "证件号", "ID number", longest=30,
            help="个人信息；这一列要设为文本格式，否则末尾几位会丢失",
            help_en="Personal; keep the column in text format, otherwise the last digits are lost",
        ),
        Column(
            "member_vulnerabilities", "人员类别", "Member categories", "vulnerabilities",
            help="本人的困难类别，例如 孤儿；多项用分号隔开",
            help_en="Categories of the person, separated by semicolons",
        ),
    ),
)  # fmt: skip

NEEDS = Layout(
    "needs",
    "需求",
    "Needs",
    (
        Column(
            "need_number", "需求编号", "Need number", required=True, longest=40,
            help="不可重复；同一编号再次导入不会重复登记",
            help_en="Unique; the same number imported again is not registered twice",
        ),
        Column(
            "case_number", "档号", "Case number", longest=40,
            help="家庭的需求填档号，户档案要先导入",
            help_en="For a household's need; import the households first",
        ),
        Column(
            "beneficiary_kind", "对象类型", "Beneficiary kind", "choice", choices=BENEFICIARY_KIND,
            help="不是家庭的需求填这里和后面两列，例如 机构",
            help_en="For a need without a household, with the two columns that follow",
        ),
        Column("beneficiary_name", "对象名称", "Beneficiary name", longest=60, help="场所、机构或群体的名称", help_en="Name of the site, institution or group"),
        Column("area", "镇街", "Town", "area", help="没有档号时必填", help_en="Needed where there is no case number"),
        Column("visited_on", "走访日期", "Visit date", "date", required=True, help="发现这项需求的那次走访", help_en="The visit that found the need"),
        Column(
            "category", "类别", "Category", "category",
            help="类别名称或代码；拿不准可以留空，在“情况描述”里写清楚",
            help_en="Name or code; may stay empty where the description says enough",
        ),
        Column(
            "text", "情况描述", "Description", longest=2000,
            help="社工的原话；没有类别时必填。不要写姓名和电话",
            help_en="The worker's own words, needed where there is no category; no names or phone numbers",
        ),
        Column("quantity", "数量", "Quantity", "int", least=1, help="按类别的单位，现金以元计；有类别时必填", help_en="In the category's unit, cash in yuan"),
        Column("urgency", "紧急程度", "Urgency", "choice", choices=URGENCY, help="危急：24小时内；紧急：3天；一般：14天；可缓：30天", help_en="Critical: 24 hours; high: 3 days; normal: 14 days; low: 30 days"),
        Column("needed_by", "最迟日期", "Needed by", "date", help="过了这天就没有用了才填", help_en="Only where help after that day is of no use"),
        Column("whole", "一次给齐", "All at once", "bool", help="要一家一次给齐才有用的填是", help_en="Yes where it has to come from one giver in full"),
        Column(
            "bundle", "套号", "Set number", "int", least=1, most=9,
            help="同一户同一天的几样成套、缺一样就没用的（如床和床垫），填同一个数字 1 到 9；成套的要有类别",
            help_en="The same number, 1 to 9, for needs of one household and day that only help together, such as a bed and its mattress; each with its category",
        ),
    ),
)  # fmt: skip
