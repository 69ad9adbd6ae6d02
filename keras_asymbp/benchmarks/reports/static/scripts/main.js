// Starts everything; the last file.

document.documentElement.classList.add("js");
findAll("table.sortable").forEach(makeSortable);
watchFigures();
watchCopies();
watchPictures();
watchSaving();
watchPrinting();
find("#filter")?.addEventListener("change", (event) => filter(event.target.value));
find("#trial-list").addEventListener("toggle", writeTrials);
