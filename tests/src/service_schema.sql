-- The tables as the service's own start-up makes them on Postgres.
CREATE TABLE dcr_clients (
    order_id VARCHAR(255) NOT NULL,
    client_id VARCHAR(255) NOT NULL,
    client_secret_encrypted TEXT NOT NULL,
    registration_access_token_encrypted TEXT,
    account_id VARCHAR(255) NOT NULL,
    redirect_uris VARCHAR[],
    grant_types VARCHAR[],
    keycloak_client_uuid VARCHAR(255),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    metadata JSON NOT NULL,
    PRIMARY KEY (order_id),
    UNIQUE (client_id)
);

CREATE TABLE marketplace_entitlements (
    id VARCHAR(255) NOT NULL,
    account_id VARCHAR(255) NOT NULL,
    provider_id VARCHAR(255) NOT NULL,
    product_id VARCHAR(255),
    plan VARCHAR(255),
    state VARCHAR(50) NOT NULL,
    usage_reporting_id VARCHAR(255),
    offer_start_time TIMESTAMP WITH TIME ZONE,
    offer_end_time TIMESTAMP WITH TIME ZONE,
    cancellation_reason TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    metadata JSON NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE usage_records (
    id SERIAL NOT NULL,
    order_id VARCHAR(255) NOT NULL,
    client_id VARCHAR(255),
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    request_count INTEGER NOT NULL,
    tool_calls INTEGER NOT NULL,
    period_start TIMESTAMP WITH TIME ZONE NOT NULL,
    period_end TIMESTAMP WITH TIME ZONE NOT NULL,
    reported BOOLEAN NOT NULL,
    reporting_started_at TIMESTAMP WITH TIME ZONE,
    reported_at TIMESTAMP WITH TIME ZONE,
    report_error TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX ix_usage_records_order_id ON usage_records (order_id);
CREATE INDEX ix_usage_records_reported ON usage_records (reported);
CREATE UNIQUE INDEX uq_usage_records_order_period_unreported
    ON usage_records (order_id, period_start, period_end)
    WHERE reported = false AND reporting_started_at IS NULL;
