import { defineMessages } from "@/lib/i18n/i18n";

export const messages = defineMessages({
  en: {
    title: "Library",
    filterLabel: "Show",
    filters: { all: "All", processing: "Indexing", indexed: "Ready", failed: "Failed" },
    find: "Find by title",
    emptyTitle: "Your library is empty",
    empty: "Upload a video. Heimdex writes down what is said, finds the cuts, and makes every sentence searchable.",
    upload: "Upload videos",
    nothing: "No video matches",
    nothingMore: "Try another title or show all states.",
    clear: "Show all",
    more: "Show more",
    waiting: "Waiting",
  },
  ko: {
    title: "라이브러리",
    filterLabel: "보기",
    filters: { all: "전체", processing: "색인 중", indexed: "준비됨", failed: "실패" },
    find: "제목으로 찾기",
    emptyTitle: "라이브러리가 비어 있습니다",
    empty: "영상을 올리세요. Heimdex가 말을 받아쓰고 장면을 나누어 모든 문장을 검색할 수 있게 합니다.",
    upload: "영상 올리기",
    nothing: "맞는 영상이 없습니다",
    nothingMore: "다른 제목을 쓰거나 전체를 보세요.",
    clear: "전체 보기",
    more: "더 보기",
    waiting: "대기 중",
  },
});
