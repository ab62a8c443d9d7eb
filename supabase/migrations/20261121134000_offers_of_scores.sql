-- The package that a call spoke for, beside its score.

alter table public.scores add column offer text check (offer <> '');
alter table public.scores add column offer_detail jsonb not null default '{}';
comment on column public.scores.offer is 'The package that suits, of the playbook''s offers. Null: not enough known yet.';
comment on column public.scores.offer_detail is 'Its probability, the candidates, the reasons and the model''s version; empty where no model was asked.';
