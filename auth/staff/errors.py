"""Refusals about members of staff."""

from __future__ import annotations

from core.errors import Problem


class StaffSignInRefused(Problem):
    """Unknown name, wrong password, wrong code or a locked account: never told apart."""

    code, status = "STAFF_SIGN_IN_REFUSED", 401
    zh = "用户名、密码或动态码不正确。连续输错 {failures} 次，账号锁定 {minutes} 分钟"
    en = "User name, password or code is wrong. After {failures} failures the account is locked for {minutes} minutes"


class UsernameTaken(Problem):
    """Another member of staff has this user name."""

    code, status = "USERNAME_TAKEN", 409
    zh, en = "用户名已被使用", "This user name is taken"


class PasswordTooWeak(Problem):
    """The password is too short, too plain or holds the user name."""

    code, status = "PASSWORD_TOO_WEAK", 422
    zh = "密码至少 {length} 位，大小写字母、数字、符号中至少三类，且不能包含用户名"
    en = "At least {length} characters of three kinds (capital, small, digit, symbol), without the user name"


class PasswordUsedBefore(Problem):
    """One of the last passwords again."""

    code, status = "PASSWORD_USED_BEFORE", 422
    zh, en = "不能使用最近 {count} 次用过的密码", "Not one of the last {count} passwords again"


class ConfirmationRefused(Problem):
    """The password or the one-time code shown again was wrong; several lock the account and sign out."""

    code, status = "CONFIRMATION_REFUSED", 403
    zh = "密码或动态码不正确，连续输错 {failures} 次将锁定账号并退出登录"
    en = "Password or code is wrong; {failures} failures in a row lock the account and sign you out"


class OwnAccount(Problem):
    """Nobody changes the own roles, account or authenticator (2.7)."""

    code, status = "OWN_ACCOUNT", 403
    zh, en = "不能对本人账号进行此操作", "Not with your own account"


class RolesNotAllowed(Problem):
    """An unknown role, none at all, or two of the three administrators in one hand (2.7)."""

    code, status = "ROLES_NOT_ALLOWED", 422
    zh = "角色无效：须为已定义的角色，且系统管理员、安全管理员、审计管理员不得兼任"
    en = "Not allowed: roles must exist, and no one holds two of system, security and audit administration"
