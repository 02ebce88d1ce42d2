throw new TypeError('the shelf is empty');
