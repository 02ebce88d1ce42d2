/**
 * Draws the scene with WebGL 2; runs inside the headless browser. `window.startPainter(scene)` uploads it once,
 * `window.paint(shot)` draws one frame with four samples per pixel and returns it as a JPEG data URL.
 */
(() => {
  const FLOATS_PER_VERTEX = 11;
  let gl;
  let canvas;
  let scene;
  let programs;
  let samples;
  let batches;

  function program(vertex, fragment) {
    const linked = gl.createProgram();
    for (const [kind, source] of [
      [gl.VERTEX_SHADER, vertex],
      [gl.FRAGMENT_SHADER, fragment],
    ]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
      gl.attachShader(linked, shader);
    }
    gl.linkProgram(linked);
    if (!gl.getProgramParameter(linked, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(linked));
    const at = new Map();
    return {
      linked,
      uniform: (name) => {
        if (!at.has(name)) at.set(name, gl.getUniformLocation(linked, name));
        return at.get(name);
      },
    };
  }

  function multisampledFrame() {
    const frame = gl.createFramebuffer();
    gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
    for (const [format, attachment] of [
      [gl.RGBA8, gl.COLOR_ATTACHMENT0],
      [gl.DEPTH_COMPONENT24, gl.DEPTH_ATTACHMENT],
    ]) {
      const buffer = gl.createRenderbuffer();
      gl.bindRenderbuffer(gl.RENDERBUFFER, buffer);
      gl.renderbufferStorageMultisample(gl.RENDERBUFFER, 4, format, canvas.width, canvas.height);
      gl.framebufferRenderbuffer(gl.FRAMEBUFFER, attachment, gl.RENDERBUFFER, buffer);
    }
    return frame;
  }

  function decode(base64, Type) {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    return new Type(bytes.buffer);
  }

  function upload(batch) {
    const array = gl.createVertexArray();
    gl.bindVertexArray(array);
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, decode(batch.vertices, Float32Array), gl.STATIC_DRAW);
    let offset = 0;
    for (const [location, size] of [3, 3, 2, 3].entries()) {
      gl.enableVertexAttribArray(location);
      gl.vertexAttribPointer(location, size, gl.FLOAT, false, FLOATS_PER_VERTEX * 4, offset * 4);
      offset += size;
    }
    const indices = decode(batch.indices, Uint32Array);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, indices, gl.STATIC_DRAW);
    gl.bindVertexArray(null);
    return { array, count: indices.length, material: batch.material, origin: batch.origin };
  }

  window.startPainter = (given) => {
    scene = given;
    canvas = document.createElement('canvas');
    canvas.width = scene.widthPx;
    canvas.height = scene.heightPx;
    gl = canvas.getContext('webgl2', { antialias: false, alpha: true, preserveDrawingBuffer: true });
    if (!gl) throw new Error('this browser has no WebGL 2');
    const s = scene.shaders;
    programs = {
      surface: new Map(),
      air: program(s.AIR_VERTEX, s.AIR_FRAGMENT),
    };
    samples = multisampledFrame();
    for (const { material } of scene.batches) {
      if (programs.surface.has(material)) continue;
      const fragment = `#version 300 es\n#define MATERIAL ${material}\n${s.SURFACE_FRAGMENT}`;
      programs.surface.set(material, program(s.SURFACE_VERTEX, fragment));
    }
    batches = scene.batches.map(upload);
  };

  function drawSurfaces(shot) {
    for (const { linked, uniform } of programs.surface.values()) {
      gl.useProgram(linked);
      gl.uniformMatrix4fv(uniform('uView'), false, shot.view);
      gl.uniform2fv(uniform('uPaneShift'), shot.paneShift);
      gl.uniform4fv(uniform('uLeaves'), shot.leaves);
      gl.uniform3fv(uniform('uEye'), shot.eye);
      gl.uniform3fv(uniform('uKeyDirection'), scene.keyDirection);
      gl.uniform3fv(uniform('uKeyColor'), scene.keyColor);
      gl.uniform3fv(uniform('uLampColor'), scene.lampColor);
      gl.uniform1f(uniform('uLampLevel'), shot.lampLevel);
      gl.uniform2f(uniform('uSize'), canvas.width, canvas.height);
    }
    for (const batch of batches) {
      const { linked, uniform } = programs.surface.get(batch.material);
      gl.useProgram(linked);
      gl.uniform3fv(uniform('uOrigin'), batch.origin);
      gl.bindVertexArray(batch.array);
      gl.drawElements(gl.TRIANGLES, batch.count, gl.UNSIGNED_INT, 0);
    }
    gl.bindVertexArray(null);
  }

  function drawAir(shot) {
    const { linked, uniform } = programs.air;
    gl.useProgram(linked);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.depthMask(false);
    gl.uniformMatrix4fv(uniform('uView'), false, shot.view);
    gl.uniform1f(uniform('uPhase'), shot.phase);
    for (const quad of shot.air) {
      gl.uniform1i(uniform('uKind'), quad.kind);
      gl.uniform3fv(uniform('uCentre'), quad.centre);
      gl.uniform3fv(uniform('uRight'), quad.right);
      gl.uniform3fv(uniform('uUp'), quad.up);
      gl.uniform3fv(uniform('uTint'), quad.tint);
      gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    }
    gl.depthMask(true);
    gl.disable(gl.BLEND);
  }

  window.paint = (shot) => {
    const { width, height } = canvas;
    gl.viewport(0, 0, width, height);
    gl.bindFramebuffer(gl.FRAMEBUFFER, samples);
    gl.enable(gl.DEPTH_TEST);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    drawSurfaces(shot);
    drawAir(shot);
    gl.bindFramebuffer(gl.READ_FRAMEBUFFER, samples);
    gl.bindFramebuffer(gl.DRAW_FRAMEBUFFER, null);
    gl.blitFramebuffer(0, 0, width, height, 0, 0, width, height, gl.COLOR_BUFFER_BIT, gl.NEAREST);
    return canvas.toDataURL('image/jpeg', 0.97);
  };
})();
