DROP INDEX people_by_name;
