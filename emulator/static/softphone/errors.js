// Twilio's errors: code, name, what it means. Applications compare `code` and show `message`.

const KNOWN = {
  20101: ["AccessTokenInvalid", "Twilio was unable to validate your Access Token"],
  20104: ["AccessTokenExpired", "The Access Token has expired, or its expiration time is invalid"],
  20151: ["AuthenticationFailed", "The Authentication with the provided JWT failed"],
  31000: ["UnknownError", "An unknown error has occurred. See error details for more information."],
  31001: ["ApplicationNotFoundError", "Application Not Found"],
  31002: ["ConnectionDeclinedError", "Connection Declined"],
  31003: ["ConnectionTimeoutError", "The server could not produce a response in time"],
  31005: ["ConnectionError", "A connection error occurred during the call"],
  31008: ["CallCancelledError", "Unable to answer because the call has ended"],
  31009: ["TransportError", "No transport available to send or receive messages"],
  31100: ["MalformedRequestError", "The request could not be understood due to malformed syntax."],
  31102: ["AuthorizationTokenMissingError", "Authorization token missing in request."],
  31103: ["MaxParameterLengthExceededError", "Length of parameters cannot exceed the maximum."],
  31105: ["InvalidClientNameError", "Client name should not contain control, space or delimiter characters."],
  31206: ["RateExceededError", "The request performed exceeds the authorized limit."],
  31401: ["PermissionDeniedError", "The browser or end-user denied permissions to user media."],
  31402: ["AcquisitionFailedError", "Permission was given, but getting the media failed."],
  53000: ["ConnectionError", "A signaling connection error occurred."],
  53001: ["ConnectionDisconnected", "The signaling connection was unexpectedly disconnected."],
  53405: ["ConnectionError", "The media connection failed."],
};

// Codes that Twilio's SDK shows only with the option enableImprovedSignalingErrorPrecision.
const PRECISE = new Set([31001, 31002, 31003, 31102, 31103, 31105]);

export class TwilioError extends Error {
  constructor(code, detail, original) {
    const [name, explanation] = KNOWN[code] ?? KNOWN[31000];
    super(`${name} (${code}): ${detail || explanation}`);
    this.name = name;
    this.code = code;
    this.description = explanation;
    this.explanation = explanation;
    this.causes = [];
    this.solutions = [];
    this.originalError = original;
  }
}

/** The error that Twilio's SDK makes of one the server sent; `fallback` for codes it does not show. */
export function fromServer(error, precise, fallback) {
  const shown = error.code in KNOWN && (precise || !PRECISE.has(error.code));
  return shown ? new TwilioError(error.code, error.message, error) : new TwilioError(fallback, error.message, error);
}

export class InvalidArgumentError extends Error {
  name = "InvalidArgumentError";
}

export class InvalidStateError extends Error {
  name = "InvalidStateError";
}

export class NotSupportedError extends Error {
  name = "NotSupportedError";
}
