-- What a call adds to a lead's chance of a sale, where the model learned it from leads left uncalled by lot.

alter table public.scores
    add column uplift double precision check (uplift between -1 and 1),
    add column uplift_lower double precision check (uplift_lower between -1 and uplift),
    add column uplift_upper double precision check (uplift_upper between uplift and 1),
    add check ((uplift is null) = (uplift_lower is null) and (uplift is null) = (uplift_upper is null));
comment on column public.scores.uplift is 'What a call adds, sales per call. Null: the model does not say. The ranking goes by it where there is one.';
