"""Control codes: what the barcodes of a site's control sheet say, and what people call them."""

import re
from typing import NamedTuple

from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _

_TOKEN = re.compile(r"[0-9A-HJKMNP-TV-Z]{6}")  # Crockford's base 32: nothing that is misread aloud
# WIRE: operator; more digits in a row a terminal takes for a code that ran into the badge, or a person's number.
_OPERATOR = re.compile(r"(?!.*[0-9]{17})[A-Za-z0-9-]{1,32}")


class Control(NamedTuple):
    """One control code: its word in the code, its names, and what it does in a few words."""

    word: str
    chinese: str
    english: str
    chinese_hint: str
    english_hint: str


OPERATIONS = (
    Control("SALE", "销售", "Sale", "售出扫描", "scans sell"),
    Control("RETURN", "退货", "Return", "扫描退回已售出的药盒", "scans undo a sale"),
    Control("RECEIVE", "入库", "Receive", "到货扫描", "scans take goods in"),
    Control("DISPATCH", "出库", "Dispatch", "发货扫描", "scans send goods out"),
    Control("STOCK-TAKE", "盘点", "Stock-take", "只核对，不改变库存", "counts, changes nothing"),
    Control("QUERY", "查询", "Query", "只查询，不改变状态", "asks, changes nothing"),
)
OTHERS = (
    Control("CANCEL", "撤销上一次", "Cancel last", "撤回刚才的一次扫描", "takes back the scan just made"),
    Control("END", "结束会话", "End session", "本次处方完成", "this prescription is done"),
    Control("REPEAT", "重复上次结果", "Repeat answer", "再次显示刚才的灯光和声音", "shows the last answer again"),
    Control("SEEN", "已知晓", "Attention seen", "关闭提醒", "ends the amber blinking"),
)


def code(token: str, word: str) -> str:
    """What the barcode of a control code holds. `token`: the site's; a terminal of another site ignores it.

    Raises:
        ToolError: the token is none.
    """
    if not _TOKEN.fullmatch(token):
        raise ToolError(
            _("control token {token!r}: 6 characters of Crockford's base 32 (no I, L, O, U)").format(token=token)
        )
    return f"SL/{token}/{word}"


def badge(token: str, operator: str) -> str:
    """What an operator's badge holds.

    Raises:
        ToolError: the operator's name can't go into a record.
    """
    if not _OPERATOR.fullmatch(operator):
        raise ToolError(
            _("operator {operator!r}: 1 to 32 of A-Z a-z 0-9 -, at most 16 digits in a row").format(operator=operator)
        )
    return code(token, f"BADGE/{operator}")
