DROP TABLE stock;
DROP TABLE orders;
