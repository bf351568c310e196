"""Words of Yue as they are typed, in the words that the lexicon knows. A table of general knowledge, not of any one text."""

FOLDS: tuple[tuple[str, str], ...] = tuple(
    (pair.split(">")[0], pair.split(">")[1])
    for pair in [
        "屋企>家里",
        "细路>孩子",
        "细佬>弟弟",
        "苏虾仔>婴儿",
        "老豆>父亲",
        "阿妈>妈妈",
        "阿嫲>奶奶",
        "听日>明天",
        "后日>后天",
        "今日>今天",
        "冲凉>洗澡",
        "瞓唔着>睡不着",
        "唔使>不用",
        "唔>不",
        "冇>没有",
        "咗>了",
        "嘅>的",
        "啲>些",
        "佢>他",
        "瞓>睡",
        "睇>看",
        "俾>给",
        "畀>给",
        "喺>在",
        "攞>拿",
        "揾>找",
        "搵>找",
        "惊>怕",
        "揸>开",
        "嘢>东西",
        "嗌>喊",
        "企喺>站在",
        "跌亲>摔",
        "水喉>水管",
        "落雨>下雨",
        "火烛>失火",
        "镬>锅",
        "煲饭>煮饭",
        "床褥>床垫",
        "嘈>吵",
        "撞聋>耳聋",
        "得闲>有空",
        "番枧>肥皂",
        "碌架床>上下铺",
        "孖仔>双胞胎",
    ]
)


def folded(text: str) -> str:
    """The text with words of Yue in the common written form; the rest stays."""
    for spoken, written in FOLDS:
        text = text.replace(spoken, written)
    return text
