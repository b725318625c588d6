import { defineMessages } from "@/lib/i18n/i18n";

export const messages = defineMessages({
  en: {
    title: "Mail outbox",
    lead: "This server sends no mail. What it would have sent is here, for people at this machine only.",
    refresh: "Look again",
    empty: "No mail yet",
    emptyMore: "Ask for a sign-in link or a new password, and the mail comes here.",
    closed: "There is no outbox here",
    closedMore: "This server sends its mails, or you are at another machine than it.",
    to: (recipient: string) => `To ${recipient}`,
    back: "To Heimdex",
  },
  ko: {
    title: "보낼 편지함",
    lead: "이 서버는 메일을 보내지 않습니다. 보냈을 메일이 여기 있으며, 이 컴퓨터에서만 볼 수 있습니다.",
    refresh: "다시 보기",
    empty: "아직 메일이 없습니다",
    emptyMore: "로그인 링크나 새 비밀번호를 요청하면 메일이 여기에 옵니다.",
    closed: "여기에는 편지함이 없습니다",
    closedMore: "이 서버가 메일을 보내고 있거나, 다른 컴퓨터에서 보고 있습니다.",
    to: (recipient: string) => `받는 사람: ${recipient}`,
    back: "Heimdex로",
  },
});
