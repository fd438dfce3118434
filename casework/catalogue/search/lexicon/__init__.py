"""The people's words for what the city calls otherwise, as data (`data/*.txt`), and where to look them up.

A line of the data is one of

- `身份证 居民身份证 二代证` words of one meaning
- `开饭店 饭馆 > 食品经营许可+餐饮服务 餐饮` what people say, and what the names of items hold, the best first; `a+b` means
  both, `a/b` either
- `- 怎么办 我要` words without meaning in a search

In `english.txt` words are parted by `;`, because they hold spaces. A word may stand in several lines.
"""
