console.log("ntkit");
