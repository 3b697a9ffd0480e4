-- A ledger of schema version 0009; `make.py` beside this says of what.
-- Seq 5 of d-window-01: d28450a20126044b642d77696e646f772d3031a05865ad010102050358207f8ae2309a603bcad027b8661b7b4631b5022b6b9f3c76ff13a1116d73878646041b000001a0c4506c0005020601071905dc080109635d43300a5438333338363532303030303030303030303030330b010ef40f68636c696e69632d375840f7cccb5556f4cf6552d410bd30533ff134d967f6a8434b2130e941e185d1e5683d21ac74f0439c430f2ace0039ef75f53897f45508393b79acd4ddef31de5c33
COMMENT ON SCHEMA public IS 'standard public schema';
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.alerts (
    id integer NOT NULL,
    kind character varying(16) NOT NULL,
    device character varying(32) NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    detail text NOT NULL,
    opened_at bigint NOT NULL,
    closed_at bigint,
    site character varying(32)
);
CREATE SEQUENCE public.alerts_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.alerts_id_seq OWNED BY public.alerts.id;
CREATE TABLE public.batches (
    product character varying(32) NOT NULL,
    batch character varying(20) NOT NULL,
    expires_on integer NOT NULL
);
CREATE TABLE public.bridges (
    name character varying(64) NOT NULL,
    seen_at bigint NOT NULL,
    kids text
);
CREATE TABLE public.bundles (
    digest bytea NOT NULL,
    manifest bytea NOT NULL,
    content bytea,
    version character varying(16) NOT NULL,
    counter bigint NOT NULL,
    family character varying(32) NOT NULL,
    size integer NOT NULL,
    added_at bigint NOT NULL
);
CREATE TABLE public.codes (
    code character varying(512) NOT NULL,
    state character varying(8) NOT NULL,
    device character varying(32),
    seq bigint,
    site character varying(32),
    since bigint NOT NULL,
    stock character varying(32),
    repeats smallint DEFAULT '0'::smallint NOT NULL,
    parts integer DEFAULT 0 NOT NULL,
    placed_by character varying(64)
);
CREATE TABLE public.commands (
    device character varying(32) NOT NULL,
    counter bigint NOT NULL,
    name character varying(32) NOT NULL,
    arguments json NOT NULL,
    made_at bigint NOT NULL,
    not_after bigint NOT NULL,
    sent boolean NOT NULL,
    result text,
    replied_at bigint,
    details json
);
CREATE TABLE public.conflicts (
    device character varying(32) NOT NULL,
    seq bigint NOT NULL,
    digest bytea NOT NULL,
    message bytea NOT NULL,
    received_at bigint NOT NULL
);
CREATE TABLE public.deliveries (
    id character varying(32) NOT NULL,
    site character varying(32) NOT NULL,
    direction character varying(3) NOT NULL,
    partner text NOT NULL,
    opened_at bigint NOT NULL,
    closed_at bigint
);
CREATE TABLE public.delivery_items (
    delivery character varying(32) NOT NULL,
    code character varying(512) NOT NULL,
    announced boolean NOT NULL,
    batch character varying(20),
    expires_on integer,
    parent character varying(512),
    seen character varying(64),
    differs text
);
CREATE TABLE public.devices (
    id character varying(32) NOT NULL,
    site character varying(32) NOT NULL,
    former_sites json NOT NULL,
    status character varying(10) NOT NULL,
    signing_public bytea NOT NULL,
    agreement_public bytea NOT NULL,
    certificate character varying(64),
    keys_version integer NOT NULL,
    enrolled_at bigint NOT NULL,
    spoke_from character varying(32),
    upto bigint NOT NULL,
    receipt_seq bigint NOT NULL,
    receipt_digest bytea NOT NULL,
    newest bigint NOT NULL,
    quarantined integer NOT NULL,
    head_boot bigint NOT NULL,
    head_connection bigint NOT NULL,
    head_uptime bigint NOT NULL,
    head_newest bigint NOT NULL,
    head_newest_digest bytea NOT NULL,
    head_digest bytea NOT NULL,
    last_record_at bigint NOT NULL,
    resend_asked_at bigint NOT NULL,
    resend_asks integer NOT NULL,
    command_counter bigint NOT NULL,
    credential_boot bigint NOT NULL,
    credential_counter bigint NOT NULL,
    archived bigint DEFAULT '0'::bigint NOT NULL,
    head_at bigint DEFAULT '0'::bigint NOT NULL,
    newest_at bigint DEFAULT '0'::bigint NOT NULL,
    adrift bigint DEFAULT '0'::bigint NOT NULL,
    bridge_kid character varying(16),
    certificate_until bigint
);
CREATE TABLE public.heads (
    device character varying(32) NOT NULL,
    boot bigint NOT NULL,
    connection bigint NOT NULL,
    uptime bigint NOT NULL,
    message bytea NOT NULL,
    received_at bigint NOT NULL
);
CREATE TABLE public.hints (
    device character varying(32) NOT NULL,
    kind character varying(8) NOT NULL,
    message text NOT NULL,
    received_at bigint NOT NULL
);
CREATE TABLE public.moves (
    device character varying(32) NOT NULL,
    seq bigint NOT NULL,
    code character varying(512) NOT NULL,
    was character varying(32),
    before character varying(64)
);
CREATE TABLE public.outbox (
    key character varying(64) NOT NULL,
    kind character varying(8) NOT NULL,
    state character varying(9) NOT NULL,
    device character varying(32) NOT NULL,
    seq bigint NOT NULL,
    digest bytea NOT NULL,
    code character varying(512) NOT NULL,
    site character varying(32) NOT NULL,
    session character varying(32),
    captured_at bigint NOT NULL,
    reverses character varying(64),
    made_at bigint NOT NULL,
    attempts integer NOT NULL,
    next_at bigint NOT NULL,
    trouble smallint,
    claimed_by character varying(64),
    claimed_at bigint,
    pending_at bigint,
    payer character varying(12) DEFAULT 'insured'::character varying NOT NULL,
    split boolean DEFAULT false NOT NULL,
    detail text,
    turn integer DEFAULT 0 NOT NULL
);
CREATE TABLE public.passed (
    device character varying(32) NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    how character varying(11) NOT NULL,
    digest bytea
);
CREATE TABLE public.product_prefixes (
    prefix character varying(7) NOT NULL,
    product character varying(32) NOT NULL
);
CREATE TABLE public.products (
    id character varying(32) NOT NULL,
    name text NOT NULL,
    gtin character varying(14),
    barcode character varying(14),
    catalogue_code character varying(50),
    content integer NOT NULL,
    exempt text
);
CREATE TABLE public.quarantine (
    digest bytea NOT NULL,
    device character varying(32) NOT NULL,
    kind character varying(8) NOT NULL,
    message bytea NOT NULL,
    why text NOT NULL,
    received_at bigint NOT NULL
);
CREATE TABLE public.recalls (
    id integer NOT NULL,
    product character varying(32) NOT NULL,
    batch character varying(20),
    why text NOT NULL,
    since bigint NOT NULL,
    until bigint
);
CREATE SEQUENCE public.recalls_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.recalls_id_seq OWNED BY public.recalls.id;
CREATE TABLE public.register (
    id integer NOT NULL,
    site character varying(32) NOT NULL,
    product character varying(32) NOT NULL,
    batch character varying(20) NOT NULL,
    entered integer NOT NULL,
    remaining integer NOT NULL,
    operator character varying(32) NOT NULL,
    entered_at bigint NOT NULL
);
CREATE SEQUENCE public.register_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.register_id_seq OWNED BY public.register.id;
CREATE TABLE public.register_sales (
    id integer NOT NULL,
    entry integer NOT NULL,
    session character varying(32) NOT NULL,
    quantity integer NOT NULL,
    operator character varying(32) NOT NULL,
    sold_at bigint NOT NULL
);
CREATE SEQUENCE public.register_sales_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.register_sales_id_seq OWNED BY public.register_sales.id;
CREATE TABLE public.releases (
    id integer NOT NULL,
    site character varying(32) NOT NULL,
    session character varying(32),
    product character varying(32) NOT NULL,
    quantity integer NOT NULL,
    reason text NOT NULL,
    operator character varying(32) NOT NULL,
    supervisor character varying(32) NOT NULL,
    released_at bigint NOT NULL
);
CREATE SEQUENCE public.releases_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.releases_id_seq OWNED BY public.releases.id;
CREATE TABLE public.rollout_devices (
    rollout integer NOT NULL,
    device character varying(32) NOT NULL,
    part integer NOT NULL,
    state character varying(8) NOT NULL,
    at integer,
    counter bigint,
    tries integer NOT NULL,
    waits integer NOT NULL,
    boot bigint,
    next_at bigint NOT NULL,
    since bigint NOT NULL,
    moved_at bigint NOT NULL,
    detail text,
    put_off_at bigint
);
CREATE TABLE public.rollouts (
    id integer NOT NULL,
    bundle bytea NOT NULL,
    state character varying(8) NOT NULL,
    part integer NOT NULL,
    size integer NOT NULL,
    percent boolean NOT NULL,
    success integer NOT NULL,
    errors integer NOT NULL,
    pause boolean NOT NULL,
    started_at bigint NOT NULL,
    changed_at bigint NOT NULL,
    why text
);
CREATE SEQUENCE public.rollouts_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.rollouts_id_seq OWNED BY public.rollouts.id;
CREATE TABLE public.scans (
    device character varying(32) NOT NULL,
    seq bigint NOT NULL,
    message bytea NOT NULL,
    digest bytea NOT NULL,
    prev bytea,
    fault text,
    operation smallint,
    code character varying(512),
    site character varying(32),
    session character varying(32),
    target bigint,
    captured_at bigint,
    received_at bigint NOT NULL,
    outcome smallint,
    reason smallint,
    decided_at bigint,
    voided_by character varying(64),
    corrected_at bigint,
    corrected_by character varying(10)
)
PARTITION BY RANGE (received_at);
CREATE TABLE public.scans_2026_09 (
    device character varying(32) NOT NULL,
    seq bigint NOT NULL,
    message bytea NOT NULL,
    digest bytea NOT NULL,
    prev bytea,
    fault text,
    operation smallint,
    code character varying(512),
    site character varying(32),
    session character varying(32),
    target bigint,
    captured_at bigint,
    received_at bigint NOT NULL,
    outcome smallint,
    reason smallint,
    decided_at bigint,
    voided_by character varying(64),
    corrected_at bigint,
    corrected_by character varying(10)
);
CREATE TABLE public.scans_other (
    device character varying(32) NOT NULL,
    seq bigint NOT NULL,
    message bytea NOT NULL,
    digest bytea NOT NULL,
    prev bytea,
    fault text,
    operation smallint,
    code character varying(512),
    site character varying(32),
    session character varying(32),
    target bigint,
    captured_at bigint,
    received_at bigint NOT NULL,
    outcome smallint,
    reason smallint,
    decided_at bigint,
    voided_by character varying(64),
    corrected_at bigint,
    corrected_by character varying(10)
);
CREATE TABLE public.session_lines (
    session character varying(32) NOT NULL,
    line smallint NOT NULL,
    product character varying(32) NOT NULL,
    quantity integer NOT NULL,
    split boolean NOT NULL,
    taken integer NOT NULL
);
CREATE TABLE public.sessions (
    id character varying(32) NOT NULL,
    device character varying(32) NOT NULL,
    site character varying(32) NOT NULL,
    kind character varying(16) NOT NULL,
    opened_at bigint NOT NULL,
    until bigint NOT NULL,
    closed_at bigint,
    payer character varying(12) DEFAULT 'insured'::character varying NOT NULL,
    expects boolean DEFAULT false NOT NULL
);
CREATE TABLE public.units (
    code character varying(512) NOT NULL,
    product character varying(32),
    batch character varying(20),
    expires_on integer,
    level smallint NOT NULL,
    parent character varying(512)
);
CREATE TABLE public.verdicts (
    device character varying(32) NOT NULL,
    seq bigint NOT NULL,
    outcome smallint NOT NULL,
    reason smallint NOT NULL,
    text character varying(64),
    decided_at bigint NOT NULL,
    repeat boolean NOT NULL,
    sent smallint NOT NULL
);
ALTER TABLE ONLY public.scans ATTACH PARTITION public.scans_2026_09 FOR VALUES FROM ('1788220800000') TO ('1790812800000');
ALTER TABLE ONLY public.scans ATTACH PARTITION public.scans_other DEFAULT;
ALTER TABLE ONLY public.alerts ALTER COLUMN id SET DEFAULT nextval('public.alerts_id_seq'::regclass);
ALTER TABLE ONLY public.recalls ALTER COLUMN id SET DEFAULT nextval('public.recalls_id_seq'::regclass);
ALTER TABLE ONLY public.register ALTER COLUMN id SET DEFAULT nextval('public.register_id_seq'::regclass);
ALTER TABLE ONLY public.register_sales ALTER COLUMN id SET DEFAULT nextval('public.register_sales_id_seq'::regclass);
ALTER TABLE ONLY public.releases ALTER COLUMN id SET DEFAULT nextval('public.releases_id_seq'::regclass);
ALTER TABLE ONLY public.rollouts ALTER COLUMN id SET DEFAULT nextval('public.rollouts_id_seq'::regclass);
INSERT INTO public.alembic_version VALUES ('0009');
INSERT INTO public.alerts VALUES (1, 'quarantine', 'd-window-02', 0, 0, 'frame: not this kind of COSE message, or other headers than the contract''s', 1790000000000, NULL, NULL);
INSERT INTO public.alerts VALUES (2, 'sold-elsewhere', 'd-window-02', 1, 1, '83386520000000000000: sold at clinic-7 by d-window-01/1, presented at pharmacy-3 by d-window-02/1', 1790000000000, NULL, 'pharmacy-3');
INSERT INTO public.alerts VALUES (3, 'sold-elsewhere', 'd-window-01', 1, 1, '83386520000000000000: sold at clinic-7 by d-window-01/1, presented at pharmacy-3 by d-window-02/1', 1790000000000, NULL, 'clinic-7');
INSERT INTO public.alerts VALUES (4, 'conflict', 'd-dock-01', 3, 3, 'a second record under a used seq, validly signed; the device is suspended', 1790000000000, NULL, NULL);
INSERT INTO public.bridges VALUES ('bridge-2', 1790000000000, '');
INSERT INTO public.codes VALUES ('83386520000000000000', 'sold', 'd-window-01', 1, 'clinic-7', 1790000000000, NULL, 0, 0, 'd-dock-01/1');
INSERT INTO public.codes VALUES ('83386520000000000001', 'free', NULL, NULL, NULL, 1790000000000, 'clinic-7', 0, 0, 'd-dock-01/2');
INSERT INTO public.codes VALUES ('83386520000000000002', 'claimed', 'd-window-01', 4, 'clinic-7', 1790000000000, NULL, 0, 0, NULL);
INSERT INTO public.conflicts VALUES ('d-dock-01', 3, '\xb8bb2b31c866d1e5d525628726de13a05a6e55703460673d5fc8d60cc5654ed9', '\xd2844ea201260449642d646f636b2d3031a05865ad0101020303582098b1ee4e4afba8725ee863c698d113dc114bbccad32fd94d9a7284ad0c6fb845041b000001a0c4506c000502060107190514080309635d43300a5438333338363532303030303030303030303032310b010ef40f68636c696e69632d375840dd71c54c00433aa976677da9a44cba74e7be9851f63bc0fd74ddfc40f02c93eb1f841b3138d205dc355358d3cdac13275e2aa0f0a8a85905c6a2f2b7bb19e37b', 1790000000000);
INSERT INTO public.deliveries VALUES ('D-1', 'clinic-7', 'in', 'a wholesaler', 1790000000000, NULL);
INSERT INTO public.delivery_items VALUES ('D-1', '83386520000000000000', true, 'B-1', 20301231, NULL, 'd-dock-01/1', NULL);
INSERT INTO public.delivery_items VALUES ('D-1', '83386520000000000001', true, 'B-1', 20301231, NULL, 'd-dock-01/2', NULL);
INSERT INTO public.delivery_items VALUES ('D-1', '83386520000000000002', true, 'B-1', 20301231, NULL, NULL, NULL);
INSERT INTO public.delivery_items VALUES ('D-1', '83386520000000000020', false, NULL, NULL, NULL, 'd-dock-01/3', NULL);
INSERT INTO public.devices VALUES ('d-window-01', 'clinic-7', '[]', 'enrolled', '\x047cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc4766997807775510db8ed040293d9ac69f7430dbba7dade63ce982299e04b79d227873d1', '\x045ecbe4d1a6330a44c8f7ef951d4bf165e6c6b721efada985fb41661bc6e7fd6c8734640c4998ff7e374b06ce1a64a2ecd82ab036384fb83d9a79b127a27d5032', NULL, 1, 1790000000000, 'clinic-7', 4, 4, '\x7f8ae2309a603bcad027b8661b7b4631b5022b6b9f3c76ff13a1116d73878646', 6, 0, 1, 1, 1100, 0, '\x0000000000000000000000000000000000000000000000000000000000000000', '\x41997ef2d28a3e6c4ccf04273106581876b153d3cb8d7e20efcc7fd3a585d0f9', 1790000000000, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL);
INSERT INTO public.devices VALUES ('d-window-02', 'pharmacy-3', '[]', 'enrolled', '\x04e2534a3532d08fbba02dde659ee62bd0031fe2db785596ef509302446b030852e0f1575a4c633cc719dfee5fda862d764efc96c3f30ee0055c42c23f184ed8c6', '\x0451590b7a515140d2d784c85608668fdfef8c82fd1f5be52421554a0dc3d033ede0c17da8904a727d8ae1bf36bf8a79260d012f00d4d80888d1d0bb44fda16da4', NULL, 1, 1790000000000, 'pharmacy-3', 1, 1, '\xf27b8ffb1a18586c03109071758e7279b8dc4110d86f72b3f9af0944d585b614', 1, 1, 0, 0, 0, 0, '\x0000000000000000000000000000000000000000000000000000000000000000', '\x0000000000000000000000000000000000000000000000000000000000000000', 1790000000000, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL);
INSERT INTO public.devices VALUES ('d-dock-01', 'clinic-7', '[]', 'suspended', '\x04b01a172a76a4602c92d3242cb897dde3024c740debb215b4c6b0aae93c2291a9e85c10743237dad56fec0e2dfba703791c00f7701c7e16bdfd7c48538fc77fe2', '\x048e533b6fa0bf7b4625bb30667c01fb607ef9f8b8a80fef5b300628703187b2a373eb1dbde03318366d069f83a6f5900053c73633cb041b21c55e1a86c1f400b4', NULL, 1, 1790000000000, 'clinic-7', 3, 3, '\x98b1ee4e4afba8725ee863c698d113dc114bbccad32fd94d9a7284ad0c6fb845', 3, 0, 0, 0, 0, 0, '\x0000000000000000000000000000000000000000000000000000000000000000', '\x0000000000000000000000000000000000000000000000000000000000000000', 1790000000000, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL);
INSERT INTO public.heads VALUES ('d-window-01', 1, 1, 1100, '\xd28450a20126044b642d77696e646f772d3031a0583ba90101020103010419044c05000658200000000000000000000000000000000000000000000000000000000000000000070108800965302e312e3058404bc6b31faa5aec61d1d2692432b0ef551367954c9169c5f1e536cbc08f80fc1c1131ee0dda2eb412d59a527fe01fb0ea5f7ac6c236fc8e6b7e85204828302200', 1790000000000);
INSERT INTO public.hints VALUES ('d-window-01', 'health', '{"v": 1}', 1790000000000);
INSERT INTO public.hints VALUES ('d-window-01', 'status', '{"v": 1}', 1790000000000);
INSERT INTO public.moves VALUES ('d-dock-01', 1, '83386520000000000000', NULL, NULL);
INSERT INTO public.moves VALUES ('d-dock-01', 2, '83386520000000000001', NULL, NULL);
INSERT INTO public.outbox VALUES ('d-window-01/1', 'sale', 'done', 'd-window-01', 1, '\x075951035c293affa6136f2bc41f86cbbe3d6524c191c360aa0cd42a1626d814', '83386520000000000000', 'clinic-7', 'S-1', 1790000000000, NULL, 1790000000000, 1, 1790000000000, NULL, 'bridge', 1790000000000, NULL, 'insured', false, NULL, 0);
INSERT INTO public.outbox VALUES ('d-window-01/2', 'sale', 'done', 'd-window-01', 2, '\xcefce847f25b343e46268de511fbc91324fc646f918b3342edbf59148126dabe', '83386520000000000001', 'clinic-7', 'S-1', 1790000000000, NULL, 1790000000000, 1, 1790000000000, NULL, 'bridge', 1790000000000, NULL, 'insured', false, NULL, 0);
INSERT INTO public.outbox VALUES ('d-window-01/3', 'reverse', 'done', 'd-window-01', 3, '\x6791b32fda52bd6444c6ea2fb2c203119df1b465b04fe9f4f52df019bed13af2', '83386520000000000001', 'clinic-7', 'S-1', 1790000000000, 'd-window-01/2', 1790000000000, 1, 1790000000000, NULL, 'bridge', 1790000000000, NULL, 'insured', false, NULL, 0);
INSERT INTO public.outbox VALUES ('d-window-01/4', 'sale', 'unknown', 'd-window-01', 4, '\x7f8ae2309a603bcad027b8661b7b4631b5022b6b9f3c76ff13a1116d73878646', '83386520000000000002', 'clinic-7', 'S-1', 1790000000000, NULL, 1790000000000, 1, 1790000000461, 15, 'bridge', 1790000000000, 1790000000900, 'insured', false, NULL, 0);
INSERT INTO public.product_prefixes VALUES ('8338652', 'P-1');
INSERT INTO public.products VALUES ('P-1', 'P-1', NULL, NULL, NULL, 1, NULL);
INSERT INTO public.quarantine VALUES ('\xa8100ae6aa1940d0b663bb31cd466142ebbdbd5187131b92d93818987832eb89', 'd-window-02', 'scan', '\xff', 'frame: not this kind of COSE message, or other headers than the contract''s', 1790000000000);
INSERT INTO public.recalls VALUES (1, 'P-1', 'B-9', 'particles', 1790000000000, NULL);
INSERT INTO public.scans_2026_09 VALUES ('d-dock-01', 1, '\xd2844ea201260449642d646f636b2d3031a05865ad010102010358200000000000000000000000000000000000000000000000000000000000000000041b000001a0c4506c0005020601071903e8080309635d43300a5438333338363532303030303030303030303030300b010ef40f68636c696e69632d375840b5b75ba0bda4f0e2558d9c362bf6658e2ac82261785fcb3915511181cca5e8e31fea60e8ca770ccccd629a9584db83c39819feef05c8b410879182c78435864d', '\xade628bc7f7426af5d986796ce0c48f20f099661a2e8a8cd21e3e5aa7ce8cb02', '\x0000000000000000000000000000000000000000000000000000000000000000', NULL, 3, '83386520000000000000', 'clinic-7', NULL, NULL, 1790000000000, 1790000000000, 0, 0, 1790000000000, NULL, NULL, NULL);
INSERT INTO public.scans_2026_09 VALUES ('d-dock-01', 2, '\xd2844ea201260449642d646f636b2d3031a05865ad01010202035820ade628bc7f7426af5d986796ce0c48f20f099661a2e8a8cd21e3e5aa7ce8cb02041b000001a0c4506c00050206010719044c080309635d43300a5438333338363532303030303030303030303030310b010ef40f68636c696e69632d375840e2a0c55d04b636e76fd460d45d84374b28ee7b9d0d453f7f107b2a0ddbeae6f37b986b3c004ff02891d40091766bdaf94f7ab95ec877225e03478ef1750c679c', '\x3e9aa71ada5f034d604ab39a848a758c736f913a936e749c129550fefb3e849b', '\xade628bc7f7426af5d986796ce0c48f20f099661a2e8a8cd21e3e5aa7ce8cb02', NULL, 3, '83386520000000000001', 'clinic-7', NULL, NULL, 1790000000000, 1790000000000, 0, 0, 1790000000000, NULL, NULL, NULL);
INSERT INTO public.scans_2026_09 VALUES ('d-dock-01', 3, '\xd2844ea201260449642d646f636b2d3031a05865ad010102030358203e9aa71ada5f034d604ab39a848a758c736f913a936e749c129550fefb3e849b041b000001a0c4506c0005020601071904b0080309635d43300a5438333338363532303030303030303030303032300b010ef40f68636c696e69632d375840f545200d711867ec541c09724eb7fd560cb92387ffaa94d66daf0cd0299b34681201827ae5b1c641c180d11436f92414ecf790289639c4b1a7a6707b46f68ddb', '\x98b1ee4e4afba8725ee863c698d113dc114bbccad32fd94d9a7284ad0c6fb845', '\x3e9aa71ada5f034d604ab39a848a758c736f913a936e749c129550fefb3e849b', NULL, 3, '83386520000000000020', 'clinic-7', NULL, NULL, 1790000000000, 1790000000000, 1, 12, 1790000000000, NULL, NULL, NULL);
INSERT INTO public.scans_2026_09 VALUES ('d-window-01', 1, '\xd28450a20126044b642d77696e646f772d3031a0586aae010102010358200000000000000000000000000000000000000000000000000000000000000000041b000001a0c4506c00050206010719044c080109635d43300a5438333338363532303030303030303030303030300b010c63532d310ef40f68636c696e69632d37584023426a619eacdb79e866bed38d4df4bb196ad0e73b50a155199186a3a2f9bef51691a07601dde7e0f906544402b91e09204ead2fba1b7c9335a0a40fed84476b', '\x075951035c293affa6136f2bc41f86cbbe3d6524c191c360aa0cd42a1626d814', '\x0000000000000000000000000000000000000000000000000000000000000000', NULL, 1, '83386520000000000000', 'clinic-7', 'S-1', NULL, 1790000000000, 1790000000000, 3, 14, 1790000000000, NULL, NULL, NULL);
INSERT INTO public.scans_2026_09 VALUES ('d-window-01', 2, '\xd28450a20126044b642d77696e646f772d3031a0586aae01010202035820075951035c293affa6136f2bc41f86cbbe3d6524c191c360aa0cd42a1626d814041b000001a0c4506c0005020601071904b0080109635d43300a5438333338363532303030303030303030303030310b010c63532d310ef40f68636c696e69632d375840997a565dabe0be2ca93f1d6b66f7263297c657bb3cb55ed0ee8f580f4867a0620e123c38a6d0f85f439bdde52a412a25e54125abb80a9b0dbf11599cd687887d', '\xcefce847f25b343e46268de511fbc91324fc646f918b3342edbf59148126dabe', '\x075951035c293affa6136f2bc41f86cbbe3d6524c191c360aa0cd42a1626d814', NULL, 1, '83386520000000000001', 'clinic-7', 'S-1', NULL, 1790000000000, 1790000000000, 3, 14, 1790000000000, 'd-window-01/3', NULL, NULL);
INSERT INTO public.scans_2026_09 VALUES ('d-window-02', 1, '\xd28450a20126044b642d77696e646f772d3032a05867ad010102010358200000000000000000000000000000000000000000000000000000000000000000041b000001a0c4506c0005020601071903e8080109635d43300a5438333338363532303030303030303030303030300b010ef40f6a706861726d6163792d3358409e0f6126d45d0f470cdf89c8f636a358f9e8416b0cac3a2890053d9a129347752afc55fac394750c9fbd59dddf0cd84fd07b956b493fa7d0bf5a8c74b944a561', '\xf27b8ffb1a18586c03109071758e7279b8dc4110d86f72b3f9af0944d585b614', '\x0000000000000000000000000000000000000000000000000000000000000000', NULL, 1, '83386520000000000000', 'pharmacy-3', NULL, NULL, 1790000000000, 1790000000000, 1, 2, 1790000000000, NULL, NULL, NULL);
INSERT INTO public.scans_2026_09 VALUES ('d-window-01', 3, '\xd28450a20126044b642d77696e646f772d3031a0585caf01010203035820cefce847f25b343e46268de511fbc91324fc646f918b3342edbf59148126dabe041b000001a0c4506c000502060107190514080709635d43300a44564f49440b050c63532d310ef40f68636c696e69632d3710025840a4457cfeb7573407da2a64af646efe88c5274489a05db7abf62b8233208d2ed30b047c569720a62a9ba67dafd889bde66b5b9afffd6131b01fd44f8c5628333c', '\x6791b32fda52bd6444c6ea2fb2c203119df1b465b04fe9f4f52df019bed13af2', '\xcefce847f25b343e46268de511fbc91324fc646f918b3342edbf59148126dabe', NULL, 7, NULL, 'clinic-7', 'S-1', 2, 1790000000000, 1790000000000, 3, 14, 1790000000000, NULL, NULL, NULL);
INSERT INTO public.scans_2026_09 VALUES ('d-window-01', 4, '\xd28450a20126044b642d77696e646f772d3031a0586aae010102040358206791b32fda52bd6444c6ea2fb2c203119df1b465b04fe9f4f52df019bed13af2041b000001a0c4506c000502060107190578080109635d43300a5438333338363532303030303030303030303030320b010c63532d310ef40f68636c696e69632d3758400aeb122c576909a048dc773ad5f400ea2e4d4927ecb94efa63ee261c14828999296fdfebfe3db09ad6af212e400b386a4a9a7ecd00b887f60818a1690a6922ee', '\x7f8ae2309a603bcad027b8661b7b4631b5022b6b9f3c76ff13a1116d73878646', '\x6791b32fda52bd6444c6ea2fb2c203119df1b465b04fe9f4f52df019bed13af2', NULL, 1, '83386520000000000002', 'clinic-7', 'S-1', NULL, 1790000000000, 1790000000000, 3, 14, 1790000000000, NULL, NULL, NULL);
INSERT INTO public.scans_2026_09 VALUES ('d-window-01', 6, '\xd28450a20126044b642d77696e646f772d3031a05865ad01010206035820cff52dc7f69fc02299d329ad27ed91893350616f70e8e4054a16ff040ebb2949041b000001a0c4506c000502060107190640080109635d43300a5438333338363532303030303030303030303030340b010ef40f68636c696e69632d37584006edace48c690c1f5e3008b689db95b5e4ef337e8f4d4ba6f107294b1998b90b53e0ef9c4688d5f6338bbea17d1f58d939d2db6bc272946adb29e83be844a55b', '\x336f04daf137e0a2f6b54aab12e85b899d365ee317ec9fb5cb7c349657af2526', '\xcff52dc7f69fc02299d329ad27ed91893350616f70e8e4054a16ff040ebb2949', NULL, 1, '83386520000000000004', 'clinic-7', NULL, NULL, 1790000000000, 1790000000000, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.session_lines VALUES ('S-1', 1, 'P-1', 3, false, 2);
INSERT INTO public.sessions VALUES ('S-1', 'd-window-01', 'clinic-7', 'sale', 1790000000000, 1790001800000, NULL, 'insured', false);
INSERT INTO public.verdicts VALUES ('d-window-01', 1, 0, 0, NULL, 1790000000000, false, 2);
INSERT INTO public.verdicts VALUES ('d-window-01', 2, 0, 0, NULL, 1790000000000, false, 2);
INSERT INTO public.verdicts VALUES ('d-window-01', 3, 0, 0, NULL, 1790000000000, false, 2);
SELECT pg_catalog.setval('public.alerts_id_seq', 4, true);
SELECT pg_catalog.setval('public.recalls_id_seq', 1, true);
SELECT pg_catalog.setval('public.register_id_seq', 1, true);
SELECT pg_catalog.setval('public.register_sales_id_seq', 1, true);
SELECT pg_catalog.setval('public.releases_id_seq', 1, true);
SELECT pg_catalog.setval('public.rollouts_id_seq', 1, true);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.alerts
    ADD CONSTRAINT alerts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.batches
    ADD CONSTRAINT batches_pkey PRIMARY KEY (product, batch);
ALTER TABLE ONLY public.bridges
    ADD CONSTRAINT bridges_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.bundles
    ADD CONSTRAINT bundles_pkey PRIMARY KEY (digest);
ALTER TABLE ONLY public.codes
    ADD CONSTRAINT codes_pkey PRIMARY KEY (code);
ALTER TABLE ONLY public.commands
    ADD CONSTRAINT commands_pkey PRIMARY KEY (device, counter);
ALTER TABLE ONLY public.conflicts
    ADD CONSTRAINT conflicts_pkey PRIMARY KEY (device, seq, digest);
ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.delivery_items
    ADD CONSTRAINT delivery_items_pkey PRIMARY KEY (delivery, code);
ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.heads
    ADD CONSTRAINT heads_pkey PRIMARY KEY (device, boot, connection, uptime);
ALTER TABLE ONLY public.hints
    ADD CONSTRAINT hints_pkey PRIMARY KEY (device, kind);
ALTER TABLE ONLY public.moves
    ADD CONSTRAINT moves_pkey PRIMARY KEY (device, seq, code);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (key);
ALTER TABLE ONLY public.passed
    ADD CONSTRAINT passed_pkey PRIMARY KEY (device, first);
ALTER TABLE ONLY public.product_prefixes
    ADD CONSTRAINT product_prefixes_pkey PRIMARY KEY (prefix);
ALTER TABLE ONLY public.products
    ADD CONSTRAINT products_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.quarantine
    ADD CONSTRAINT quarantine_pkey PRIMARY KEY (digest);
ALTER TABLE ONLY public.recalls
    ADD CONSTRAINT recalls_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.register
    ADD CONSTRAINT register_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.register_sales
    ADD CONSTRAINT register_sales_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.releases
    ADD CONSTRAINT releases_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.rollout_devices
    ADD CONSTRAINT rollout_devices_pkey PRIMARY KEY (rollout, device);
ALTER TABLE ONLY public.rollouts
    ADD CONSTRAINT rollouts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.scans
    ADD CONSTRAINT scans_pkey PRIMARY KEY (device, seq, received_at);
ALTER TABLE ONLY public.scans_2026_09
    ADD CONSTRAINT scans_2026_09_pkey PRIMARY KEY (device, seq, received_at);
ALTER TABLE ONLY public.scans_other
    ADD CONSTRAINT scans_other_pkey PRIMARY KEY (device, seq, received_at);
ALTER TABLE ONLY public.session_lines
    ADD CONSTRAINT session_lines_pkey PRIMARY KEY (session, line);
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.units
    ADD CONSTRAINT units_pkey PRIMARY KEY (code);
ALTER TABLE ONLY public.verdicts
    ADD CONSTRAINT verdicts_pkey PRIMARY KEY (device, seq);
CREATE INDEX alerts_device ON public.alerts USING btree (device, kind, closed_at, first, last);
CREATE INDEX codes_stock ON public.codes USING btree (stock) WHERE (stock IS NOT NULL);
CREATE INDEX commands_name ON public.commands USING btree (device, name, counter);
CREATE INDEX commands_unsent ON public.commands USING btree (device, counter) WHERE (NOT sent);
CREATE INDEX deliveries_open ON public.deliveries USING btree (site) WHERE (closed_at IS NULL);
CREATE INDEX deliveries_site ON public.deliveries USING btree (site, opened_at);
CREATE INDEX delivery_items_seen ON public.delivery_items USING btree (seen) WHERE (seen IS NOT NULL);
CREATE INDEX devices_behind ON public.devices USING btree (id) WHERE (head_newest > upto);
CREATE INDEX devices_undecided ON public.devices USING btree (id) WHERE (newest > upto);
CREATE INDEX outbox_code ON public.outbox USING btree (code, turn) WHERE ((state)::text <> ALL ((ARRAY['done'::character varying, 'cancelled'::character varying])::text[]));
CREATE INDEX outbox_held ON public.outbox USING btree (reverses) WHERE ((state)::text = 'held'::text);
CREATE INDEX outbox_open ON public.outbox USING btree (state, next_at, seq) WHERE ((state)::text = ANY ((ARRAY['waiting'::character varying, 'sending'::character varying, 'unknown'::character varying])::text[]));
CREATE INDEX outbox_parts ON public.outbox USING btree (code) WHERE split;
CREATE INDEX outbox_pending ON public.outbox USING btree (pending_at) WHERE (pending_at IS NOT NULL);
CREATE INDEX product_prefixes_product ON public.product_prefixes USING btree (product);
CREATE INDEX products_barcode ON public.products USING btree (barcode);
CREATE INDEX products_catalogue_code ON public.products USING btree (catalogue_code);
CREATE INDEX products_gtin ON public.products USING btree (gtin);
CREATE INDEX quarantine_device ON public.quarantine USING btree (device);
CREATE INDEX recalls_product ON public.recalls USING btree (product);
CREATE INDEX register_sales_session ON public.register_sales USING btree (session);
CREATE INDEX register_sales_sold ON public.register_sales USING btree (sold_at);
CREATE INDEX register_site ON public.register USING btree (site, product, batch);
CREATE INDEX releases_site ON public.releases USING btree (site, released_at);
CREATE INDEX rollout_devices_active ON public.rollout_devices USING btree (device) WHERE ((state)::text = ANY ((ARRAY['queued'::character varying, 'sending'::character varying, 'trial'::character varying, 'silent'::character varying])::text[]));
CREATE INDEX rollout_devices_part ON public.rollout_devices USING btree (rollout, part, state);
CREATE INDEX rollouts_open ON public.rollouts USING btree (id) WHERE ((state)::text = ANY ((ARRAY['running'::character varying, 'waiting'::character varying, 'stopped'::character varying])::text[]));
CREATE INDEX scans_untimed ON ONLY public.scans USING btree (device, seq) WHERE ((corrected_by)::text <> 'given'::text);
CREATE INDEX scans_2026_09_device_seq_idx ON public.scans_2026_09 USING btree (device, seq) WHERE ((corrected_by)::text <> 'given'::text);
CREATE INDEX scans_other_device_seq_idx ON public.scans_other USING btree (device, seq) WHERE ((corrected_by)::text <> 'given'::text);
CREATE INDEX units_parent ON public.units USING btree (parent) WHERE (parent IS NOT NULL);
CREATE INDEX verdicts_due ON public.verdicts USING btree (device, seq) WHERE (sent = 0);
CREATE INDEX verdicts_sent ON public.verdicts USING btree (device, seq) WHERE (sent = 1);
ALTER INDEX public.scans_untimed ATTACH PARTITION public.scans_2026_09_device_seq_idx;
ALTER INDEX public.scans_pkey ATTACH PARTITION public.scans_2026_09_pkey;
ALTER INDEX public.scans_untimed ATTACH PARTITION public.scans_other_device_seq_idx;
ALTER INDEX public.scans_pkey ATTACH PARTITION public.scans_other_pkey;
