import { defineMessages } from "@/lib/i18n/i18n";

export const messages = defineMessages({
  en: {
    title: "A shared moment",
    from: (name: string) => `${name} shares this moment with you.`,
    fromSomebody: "Somebody shares this moment with you.",
    part: (start: string, end: string) => `From ${start} to ${end} of the video`,
    until: (when: string) => `The link works until ${when}.`,
    over: "This link does not work any more",
    overMore: "It has expired, was taken back, or is not complete. Ask whoever sent it for a new one.",
    preparing: "The clip is being cut. It plays here in a moment.",
    failed: "The clip could not be made. Ask whoever sent the link for a new one.",
    toLibrary: "Go to my library",
    player: "Shared clip",
  },
  ko: {
    title: "공유된 순간",
    from: (name: string) => `${name} 님이 이 순간을 공유했습니다.`,
    fromSomebody: "누군가 이 순간을 공유했습니다.",
    part: (start: string, end: string) => `영상의 ${start}부터 ${end}까지`,
    until: (when: string) => `이 링크는 ${when}까지 쓸 수 있습니다.`,
    over: "이 링크는 더 이상 쓸 수 없습니다",
    overMore: "기한이 지났거나, 취소되었거나, 주소가 완전하지 않습니다. 보낸 사람에게 새 링크를 요청하세요.",
    preparing: "클립을 자르는 중입니다. 잠시 후 여기서 재생됩니다.",
    failed: "클립을 만들지 못했습니다. 보낸 사람에게 새 링크를 요청하세요.",
    toLibrary: "내 라이브러리로",
    player: "공유된 클립",
  },
});
