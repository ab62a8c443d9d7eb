import { createRouter, createWebHistory } from "vue-router";
import Live from "./pages/Live.vue";

export const router = createRouter({
  history: createWebHistory(),
  scrollBehavior: (_to, _from, kept) => kept ?? { top: 0 },
  routes: [
    { path: "/", name: "live", component: Live },
    { path: "/calls", name: "calls", component: () => import("./pages/Calls.vue") },
    { path: "/calls/:sid", name: "call", component: () => import("./pages/Call.vue"), props: true },
    { path: "/leads", name: "leads", component: () => import("./pages/Leads.vue") },
    { path: "/leads/:id", name: "lead", component: () => import("./pages/Lead.vue"), props: true },
    { path: "/campaigns", name: "campaigns", component: () => import("./pages/Campaigns.vue") },
    { path: "/playbooks", name: "playbooks", component: () => import("./pages/Playbooks.vue") },
    { path: "/playbooks/:name", name: "playbook", component: () => import("./pages/Playbook.vue"), props: true },
    { path: "/reports", name: "reports", component: () => import("./pages/Reports.vue") },
    { path: "/models", name: "models", component: () => import("./pages/Models.vue") },
    { path: "/settings/:part?", name: "settings", component: () => import("./pages/Settings.vue"), props: true },
    { path: "/:rest(.*)*", name: "nowhere", component: () => import("./pages/Nowhere.vue") },
  ],
});
