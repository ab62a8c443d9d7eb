import type * as Api from "../api.generated";

/** What the API answers, by the names that pages use. The shapes are the API's own (`npm run types`); times are
 *  ISO 8601 in UTC, durations milliseconds. */
export interface Page<T> { items: T[]; next_cursor: string | null }
export type Tier = Api.AppSalesLeadTier;

export type CallItem = Api.CallItem;
export type CallDetail = Api.CallDetail;
export type Line = Api.Line;
export type TurnReading = Api.TurnReading;
export type Whisper = Api.Aside;
export type HeardLine = Api.HeardLine;
export type TurnWait = Api.TurnWait;
export type Waterfall = Api.Waterfall;
export type Cost = Api.Cost;
export type Score = Api.CallScore;
export type Recording = Api.Recording;
export type Peaks = Api.PeaksOut;

export type LeadItem = Api.LeadItem;
export type LeadDetail = Api.LeadDetail;
export type Consent = Api.ConsentOut;
export type Touch = Api.Touch;
export type NextLeads = Api.NextLeads;
export type ImportResult = Api.ImportResult;
export type Cuts = Api.Cuts;

export type Funnel = Api.Funnel;
export type News = Api.Notification;
export type NewsSettings = Api.NotificationSettings;
export type NewsRule = Api.NotificationRule;
export type ReportSchedule = Api.Schedule;
/** A row has what its report tells; these are there in each of its rows. */
type Told<Names extends keyof Api.Row> = { [Name in Names]-?: NonNullable<Api.Row[Name]> };
export type DayRow = Told<"day" | "calls" | "conversed" | "booked"> & Pick<Api.Row, "reply_p50_ms" | "cost_usd">;
export type HourRow = Told<"weekday" | "hour" | "calls">;
export type NamedCount = Told<"name" | "calls" | "booked">;

export type ModelItem = Api.ModelItem;
export type ModelDetail = Api.ModelDetail;
export type Models = Api.Models;
export type Night = Api.NightOut;
export type Figure = Api.Figure;
export type Alert = Api.AlertOut;

export type PlaybookItem = Api.PlaybookItem;
export type PlaybookDetail = Api.PlaybookDetail;
export type PlaybookView = Api.View;
export type PlaybookVersion = Api.VersionOut;
export type Fault = Api.Fault;

export type CampaignItem = Api.CampaignOut;
export type CampaignPreview = Api.Preview;

export type Me = Api.Me;
export type Role = Api.Role;
export type SaidLine = Api.SaidLine;
export type LiveCall = Api.LiveCall;
export type Snapshot = Api.Snapshot;
export type HealthLine = Api.HealthLine;
