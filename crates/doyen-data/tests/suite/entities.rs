//! A small shop.

pub(crate) mod customer {
    use doyen_data::sea_orm;
    use doyen_data::sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(
        Clone, Debug, PartialEq, Eq, DeriveEntityModel, doyen_data::Entity, doyen_data::Row,
    )]
    #[sea_orm(table_name = "customers")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sea_orm(unique)]
        pub email: String,
        #[sea_orm(has_many)]
        pub tickets: HasMany<super::ticket::Entity>,
    }
}

pub(crate) mod ticket {
    use doyen_data::sea_orm;
    use doyen_data::sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(
        Clone, Debug, PartialEq, Eq, DeriveEntityModel, doyen_data::Entity, doyen_data::Row,
    )]
    #[sea_orm(table_name = "tickets")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub customer_id: i64,
        pub subject: String,
        pub rank: i64,
        pub note: Option<String>,
        pub version: i64,
        #[sea_orm(belongs_to, from = "customer_id", to = "id")]
        pub customer: HasOne<super::customer::Entity>,
    }
}
