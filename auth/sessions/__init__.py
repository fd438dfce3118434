"""Signed-in devices of citizens (ID-9).

lifetimes by channel                         rules.LIFETIMES
access token: 15 minutes, ES256              authenticator.issue, authenticator.citizen_of
ended, frozen, re-levelled within a second   authenticator.citizen_of; in this process at once: authenticator.changed
refresh tokens rotate; reuse ends the family rules.judge_refresh, service.refresh
list and end one's sessions                  queries.sessions, service.end_session
sign-in history                              models.LoginEvent, queries.sign_ins
devices in words, new ones, "这不是我"         devices/

Times of sessions and tokens are true times (`clock.wall`): a shifted business clock signs nobody out.
"""
